"""Where settings are said: files and overrides, with every problem kept."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from oslo_config import cfg
from oslo_config.iniparser import ParseError

from sundog.settings.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_KEYS = {
    section: [option.name for option in options] for section, options in OPTIONS.items()
}


class Sources:
    """Files and overrides, read once; ``told`` holds one line a problem."""

    def __init__(self, files: Sequence[Path], overrides: Mapping[str, object]) -> None:
        """Read the files in order, a later one before an earlier, then overrides.

        An override's key is ``section.option``, or the option's name in [DEFAULT].
        """
        self.told: list[str] = []
        self._said_in: dict[tuple[str, str], list[str]] = {}
        readable = [str(file) for file in files if self._note(file)]
        # Not the global CONF: what a library registers there is not ours to read.
        self._conf = cfg.ConfigOpts()
        for section, options in OPTIONS.items():
            group = None if section == "DEFAULT" else section
            self._conf.register_opts(options, group=group)
        self._conf(
            args=[],
            project="sundog",
            default_config_files=readable,
            default_config_dirs=[],
            use_env=False,
        )
        for name, value in overrides.items():
            self._override(name, value)

    def value(self, section: str, key: str) -> Any:  # noqa: ANN401  the option's type says
        """Return an option's value; None, with a problem kept, if it is bad."""
        group = self._conf if section == "DEFAULT" else self._conf[section]
        try:
            return group[key]
        except cfg.ConfigFileValueError as error:
            # oslo.config's own line repeats what ``where`` says.
            self.tell(section, key, str(error.__context__ or error))
        except cfg.Error as error:
            # A value may name another option: $state_path/images.
            self.tell(section, key, f"{error}; write $$ where a $ is meant")
        return None

    def lines(self, section: str, key: str) -> tuple[Any, ...]:
        """Return the values of an option that may be said many times."""
        return tuple(self.value(section, key) or ())

    def where(self, section: str, key: str) -> str:
        """Name the files that say an option."""
        files = self._said_in.get((section, key), [])
        return ", ".join(dict.fromkeys(files)) or "defaults"

    def tell(self, section: str, key: str, reason: str) -> None:
        """Keep a problem with an option."""
        line = " ".join(reason.split())
        self.told.append(f"{self.where(section, key)}: [{section}] {key}: {line}")

    def _note(self, file: Path) -> bool:
        sections: dict[str, dict[str, list[str]]] = {}
        try:
            cfg.ConfigParser(str(file), sections).parse()
        except ParseError as error:
            self.told.append(
                f"{file}: line {error.lineno}: {error.msg}; write option = value"
            )
            return False
        except OSError as error:
            self.told.append(f"{file}: cannot be read: {error.strerror}")
            return False
        except UnicodeDecodeError as error:
            self.told.append(f"{file}: is not UTF-8 text: {error}")
            return False
        for section, keys in sections.items():
            self._note_section(str(file), section, keys)
        return True

    def _note_section(
        self, file: str, section: str, keys: Mapping[str, object]
    ) -> None:
        if section not in OPTIONS:
            way_out = _nearest(section, OPTIONS) or f"known: {', '.join(OPTIONS)}"
            self.told.append(f"{file}: [{section}] is no section; {way_out}")
            return
        for key in keys:
            if key in _KEYS[section]:
                self._said_in.setdefault((section, key), []).append(file)
            else:
                line = (
                    f"{file}: [{section}] {key}: is no option; {_way_out(section, key)}"
                )
                self.told.append(line)

    def _override(self, name: str, value: object) -> None:
        section, _, key = name.rpartition(".")
        section = section or "DEFAULT"
        if key not in _KEYS.get(section, ()):
            way_out = _way_out(section, key)
            self.told.append(f"override {name}: is no option; {way_out}")
            return
        self._said_in[section, key] = ["override"]
        group = None if section == "DEFAULT" else section
        try:
            self._conf.set_override(key, value, group)
        except ValueError as error:
            self.tell(section, key, str(error))


def _way_out(section: str, key: str) -> str:
    known = _KEYS.get(section, [])
    elsewhere = [other for other, keys in _KEYS.items() if key in keys]
    if elsewhere:
        return f"it belongs to [{elsewhere[0]}]"
    return _nearest(key, known) or f"known: {', '.join(known or OPTIONS)}"


def _nearest(word: str, known: Iterable[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), by_lower, 1)
    return f"did you mean {by_lower[near[0]]}?" if near else ""
