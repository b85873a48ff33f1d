// SPDX-License-Identifier: GPL-2.0-only
/*
 * A PCI function of QEMU's that nothing else wants becomes a card whose memory is
 * handed out in slices, as mediated devices.
 *
 * All types of a card draw on one budget, in MiB. A card is "mixed" (types may stand
 * side by side) or takes one type at a time. On a card with SR-IOV the VFs are the
 * parents, one slice each, and they draw on the budget of their PF.
 *
 * A slice is a small PCI device: 256 bytes of configuration space and one page of
 * memory in which a guest reads who it is (enum slice_register).
 */

#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#define SLICE_VENDOR	0x1234
#define SLICE_DEVICE	0x5d06
#define CONFIG_BYTES	256
#define BAR_BYTES	4096
#define REGION_SHIFT	32

/* What a guest finds in BAR 0; numbers are little-endian. */
enum slice_register {
	REG_MAGIC	= 0x00,	/* "SDOG" */
	REG_MIB		= 0x04,
	REG_NODE	= 0x08,	/* of the parent; all ones: none */
	REG_PARENT	= 0x0c,	/* segment << 16 | bus << 8 | devfn */
	REG_TYPE	= 0x10,	/* 16 bytes of text, padded with zeros */
	REG_UUID	= 0x20,	/* 48 bytes of text, padded with zeros */
	REG_NOTES	= 0x100, /* from here on the guest may write */
};

static uint budget_mib = 16384;
module_param(budget_mib, uint, 0444);
MODULE_PARM_DESC(budget_mib, "memory of each card when it is bound");

static bool mixed = true;
module_param(mixed, bool, 0644);
MODULE_PARM_DESC(mixed, "whether a card that is bound takes several types at a time");

static const struct slice_size {
	const char *id;
	const char *name;
	uint mib;
} sizes[] = {
	{ "1g", "Sundog Slice 1G", 1024 },
	{ "2g", "Sundog Slice 2G", 2048 },
	{ "3g", "Sundog Slice 3G", 3072 },	/* does not divide the budget */
	{ "4g", "Sundog Slice 4G", 4096 },
	{ "8g", "Sundog Slice 8G", 8192 },
	{ "16g", "Sundog Slice 16G", 16384 },
};

#define TYPES ARRAY_SIZE(sizes)

/* What all functions of a card share; its PF's, which outlives its VFs. */
struct card {
	struct mutex lock;	/* guards all below */
	uint budget;
	uint used;
	bool mixed;
	int refuse;		/* creations to refuse yet; below zero: all */
	uint slices[TYPES];
};

struct function {
	struct pci_dev *pdev;
	struct card *card;
	bool is_parent;
	uint taken;		/* slices; under the card's lock */
	struct mdev_parent parent;
	struct slice_type {
		struct mdev_type type;
		struct function *function;
		uint index;
	} types[TYPES];
	struct mdev_type *type_list[TYPES];
};

struct slice {
	struct vfio_device vdev;
	struct pci_dev *pdev;
	struct function *function;
	uint index;
	struct mutex lock;	/* guards the two below */
	u8 *config;
	u8 *bar;
};

/* The card. */

static struct card *new_card(void)
{
	struct card *card = kzalloc(sizeof(*card), GFP_KERNEL);

	if (card) {
		mutex_init(&card->lock);
		card->budget = budget_mib;
		card->mixed = mixed;
	}
	return card;
}

static uint room_for(const struct function *function, uint index)
{
	const struct card *card = function->card;
	uint other, room;

	lockdep_assert_held(&card->lock);
	for (other = 0; other < TYPES && !card->mixed; other++)
		if (other != index && card->slices[other])
			return 0;
	room = (card->budget - card->used) / sizes[index].mib;
	if (function->pdev->is_virtfn)
		room = min(room, 1 - function->taken);
	return room;
}

static int take(struct function *function, uint index)
{
	struct card *card = function->card;

	guard(mutex)(&card->lock);
	if (card->refuse) {
		if (card->refuse > 0)
			card->refuse--;
		return -EIO;
	}
	if (!room_for(function, index))
		return -ENOSPC;
	card->used += sizes[index].mib;
	card->slices[index]++;
	function->taken++;
	return 0;
}

static void give_back(struct function *function, uint index)
{
	guard(mutex)(&function->card->lock);
	function->card->used -= sizes[index].mib;
	function->card->slices[index]--;
	function->taken--;
}

/* A slice, as a guest's PCI device. */

static void put_le16(u8 *at, u16 value)
{
	at[0] = value;
	at[1] = value >> 8;
}

static void put_le32(u8 *at, u32 value)
{
	put_le16(at, value);
	put_le16(at + 2, value >> 16);
}

static void power_on(struct slice *slice)
{
	struct pci_dev *pdev = slice->pdev;
	u8 *config = slice->config, *bar = slice->bar;

	memset(config, 0, CONFIG_BYTES);
	put_le16(config + PCI_VENDOR_ID, SLICE_VENDOR);
	put_le16(config + PCI_DEVICE_ID, SLICE_DEVICE);
	put_le16(config + PCI_CLASS_DEVICE, PCI_CLASS_DISPLAY_3D);
	put_le16(config + PCI_SUBSYSTEM_VENDOR_ID, SLICE_VENDOR);
	put_le16(config + PCI_SUBSYSTEM_ID, sizes[slice->index].mib >> 10);

	memset(bar, 0, BAR_BYTES);
	memcpy(bar + REG_MAGIC, "SDOG", 4);
	put_le32(bar + REG_MIB, sizes[slice->index].mib);
	put_le32(bar + REG_NODE, dev_to_node(&pdev->dev));
	put_le32(bar + REG_PARENT, pci_domain_nr(pdev->bus) << 16 | pci_dev_id(pdev));
	snprintf(bar + REG_TYPE, 16, "%s-%s", KBUILD_MODNAME, sizes[slice->index].id);
	snprintf(bar + REG_UUID, 48, "%s", dev_name(slice->vdev.dev));
}

static int slice_init(struct vfio_device *vdev)
{
	struct slice *slice = container_of(vdev, struct slice, vdev);
	struct mdev_device *mdev = to_mdev_device(vdev->dev);
	struct slice_type *type = container_of(mdev->type, struct slice_type, type);
	int error;

	slice->function = type->function;
	slice->pdev = type->function->pdev;
	slice->index = type->index;
	mutex_init(&slice->lock);
	slice->config = kzalloc(CONFIG_BYTES, GFP_KERNEL);
	slice->bar = kzalloc(BAR_BYTES, GFP_KERNEL);
	error = slice->config && slice->bar ? take(slice->function, slice->index) : -ENOMEM;
	if (error) {
		kfree(slice->config);
		kfree(slice->bar);
		return error;
	}
	power_on(slice);
	return 0;
}

static void slice_release(struct vfio_device *vdev)
{
	struct slice *slice = container_of(vdev, struct slice, vdev);

	give_back(slice->function, slice->index);
	kfree(slice->config);
	kfree(slice->bar);
}

/* Which bits of a byte a guest may change. */
static u8 writable(bool is_config, uint at)
{
	if (!is_config)
		return at >= REG_NOTES ? 0xff : 0;
	switch (at) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_CACHE_LINE_SIZE:
	case PCI_LATENCY_TIMER:
	case PCI_INTERRUPT_LINE:
	case PCI_BASE_ADDRESS_0 + 2:
	case PCI_BASE_ADDRESS_0 + 3:
		return 0xff;
	case PCI_BASE_ADDRESS_0 + 1:	/* the size of a page is told by what stays 0 */
		return 0xff & ~((BAR_BYTES - 1) >> 8);
	}
	return 0;
}

/* Find what a file position means; returns how many bytes are there from it on. */
static size_t find_bytes(struct slice *slice, loff_t position, u8 **bytes)
{
	u64 at = position & (BIT_ULL(REGION_SHIFT) - 1);

	switch (position >> REGION_SHIFT) {
	case VFIO_PCI_CONFIG_REGION_INDEX:
		*bytes = slice->config + at;
		return at < CONFIG_BYTES ? CONFIG_BYTES - at : 0;
	case VFIO_PCI_BAR0_REGION_INDEX:
		*bytes = slice->bar + at;
		return at < BAR_BYTES ? BAR_BYTES - at : 0;
	}
	return 0;
}

static ssize_t slice_read(struct vfio_device *vdev, char __user *to, size_t count,
			  loff_t *position)
{
	struct slice *slice = container_of(vdev, struct slice, vdev);
	u8 *bytes;

	/* QEMU reads the whole configuration space at once and takes no less. */
	count = min(count, find_bytes(slice, *position, &bytes));
	if (!count)
		return -EINVAL;
	guard(mutex)(&slice->lock);
	if (copy_to_user(to, bytes, count))
		return -EFAULT;
	*position += count;
	return count;
}

static ssize_t slice_write(struct vfio_device *vdev, const char __user *from,
			   size_t count, loff_t *position)
{
	struct slice *slice = container_of(vdev, struct slice, vdev);
	bool is_config = *position >> REGION_SHIFT == VFIO_PCI_CONFIG_REGION_INDEX;
	uint at = *position & (BIT_ULL(REGION_SHIFT) - 1);
	u8 *bytes, byte, mask;
	size_t i;

	count = min(count, find_bytes(slice, *position, &bytes));
	if (!count)
		return -EINVAL;
	guard(mutex)(&slice->lock);
	for (i = 0; i < count; i++) {
		if (get_user(byte, from + i))
			return -EFAULT;
		mask = writable(is_config, at + i);
		bytes[i] = (bytes[i] & ~mask) | (byte & mask);
	}
	*position += count;
	return count;
}

static int tell_device(void __user *arg)
{
	struct vfio_device_info info;
	size_t size = offsetofend(struct vfio_device_info, num_irqs);

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS;
	info.num_irqs = VFIO_PCI_NUM_IRQS;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static int tell_region(void __user *arg)
{
	struct vfio_region_info info;
	size_t size = offsetofend(struct vfio_region_info, offset);

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info.size = info.index == VFIO_PCI_CONFIG_REGION_INDEX ? CONFIG_BYTES :
		    info.index == VFIO_PCI_BAR0_REGION_INDEX ? BAR_BYTES : 0;
	info.flags = info.size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	info.cap_offset = 0;
	info.offset = (u64)info.index << REGION_SHIFT;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static int tell_interrupt(void __user *arg)
{
	struct vfio_irq_info info;
	size_t size = offsetofend(struct vfio_irq_info, count);

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size || info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.flags = 0;
	info.count = 0;	/* a slice has none */
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long slice_ioctl(struct vfio_device *vdev, unsigned int command, unsigned long arg)
{
	struct slice *slice = container_of(vdev, struct slice, vdev);

	switch (command) {
	case VFIO_DEVICE_GET_INFO:
		return tell_device((void __user *)arg);
	case VFIO_DEVICE_GET_REGION_INFO:
		return tell_region((void __user *)arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return tell_interrupt((void __user *)arg);
	case VFIO_DEVICE_RESET: {
		guard(mutex)(&slice->lock);
		power_on(slice);
		return 0;
	}
	}
	return -ENOTTY;
}

static const struct vfio_device_ops slice_ops = {
	.name = "sundog-slice",
	.init = slice_init,
	.release = slice_release,
	.read = slice_read,
	.write = slice_write,
	.ioctl = slice_ioctl,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

/* Slices are made and removed through the mdev bus. */

static int mdev_probe(struct mdev_device *mdev)
{
	struct slice *slice = vfio_alloc_device(slice, vdev, &mdev->dev, &slice_ops);
	int error;

	if (IS_ERR(slice))
		return PTR_ERR(slice);
	error = vfio_register_emulated_iommu_dev(&slice->vdev);
	if (error)
		vfio_put_device(&slice->vdev);
	else
		dev_set_drvdata(&mdev->dev, slice);
	return error;
}

static void mdev_remove(struct mdev_device *mdev)
{
	struct slice *slice = dev_get_drvdata(&mdev->dev);

	vfio_unregister_group_dev(&slice->vdev);
	vfio_put_device(&slice->vdev);
}

static unsigned int mdev_available(struct mdev_type *mdev_type)
{
	struct slice_type *type = container_of(mdev_type, struct slice_type, type);

	guard(mutex)(&type->function->card->lock);
	return room_for(type->function, type->index);
}

static ssize_t mdev_description(struct mdev_type *mdev_type, char *to)
{
	struct slice_type *type = container_of(mdev_type, struct slice_type, type);
	uint mib = sizes[type->index].mib;

	return sysfs_emit(to, "num_heads=1, frl_config=60, framebuffer=%uM, max_resolution=1024x768, max_instance=%u\n",
			  mib, type->function->card->budget / mib);
}

static struct mdev_driver slice_driver = {
	.device_api = VFIO_DEVICE_API_PCI_STRING,
	.driver = {
		.name = "sundog-slice",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
	},
	.probe = mdev_probe,
	.remove = mdev_remove,
	.get_available = mdev_available,
	.show_description = mdev_description,
};

/* What can be told and changed of a card, in the folder "card" of its functions. */

static struct card *card_of(struct device *dev)
{
	struct function *function = dev_get_drvdata(dev);

	return function->card;
}

#define CARD_FILE_SHOW(file, format, value)					\
	static ssize_t file##_show(struct device *dev,				\
				   struct device_attribute *attr, char *to)	\
	{									\
		struct card *card = card_of(dev);				\
										\
		guard(mutex)(&card->lock);					\
		return sysfs_emit(to, format "\n", value);			\
	}

CARD_FILE_SHOW(budget, "%u", card->budget)
CARD_FILE_SHOW(used, "%u", card->used)
CARD_FILE_SHOW(mixed, "%d", card->mixed)
CARD_FILE_SHOW(refuse, "%d", card->refuse)

static ssize_t budget_store(struct device *dev, struct device_attribute *attr,
			    const char *from, size_t count)
{
	struct card *card = card_of(dev);
	uint value;
	int error = kstrtouint(from, 0, &value);

	if (error)
		return error;
	guard(mutex)(&card->lock);
	if (value < card->used)
		return -EBUSY;
	card->budget = value;
	return count;
}

static ssize_t mixed_store(struct device *dev, struct device_attribute *attr,
			   const char *from, size_t count)
{
	struct card *card = card_of(dev);
	bool value;
	int error = kstrtobool(from, &value);

	if (error)
		return error;
	guard(mutex)(&card->lock);
	if (card->used)
		return -EBUSY;
	card->mixed = value;
	return count;
}

static ssize_t refuse_store(struct device *dev, struct device_attribute *attr,
			    const char *from, size_t count)
{
	struct card *card = card_of(dev);
	int value;
	int error = kstrtoint(from, 0, &value);

	if (error)
		return error;
	guard(mutex)(&card->lock);
	card->refuse = value;
	return count;
}

static DEVICE_ATTR_RW(budget);
static DEVICE_ATTR_RO(used);
static DEVICE_ATTR_RW(mixed);
static DEVICE_ATTR_RW(refuse);

static struct attribute *card_files[] = {
	&dev_attr_budget.attr,
	&dev_attr_used.attr,
	&dev_attr_mixed.attr,
	&dev_attr_refuse.attr,
	NULL,
};

static const struct attribute_group card_folder = { .name = "card", .attrs = card_files };

static const struct attribute_group *card_folders[] = { &card_folder, NULL };

/* The PCI functions that are made into cards. */

static struct pci_driver card_driver;

static int join_card(struct function *function)
{
	struct function *pf;

	if (!function->pdev->is_virtfn) {
		function->card = new_card();
		return function->card ? 0 : -ENOMEM;
	}
	pf = pci_iov_get_pf_drvdata(function->pdev, &card_driver);
	if (IS_ERR(pf))
		return PTR_ERR(pf);
	function->card = pf->card;
	return 0;
}

static void leave_card(struct function *function)
{
	if (!function->pdev->is_virtfn)
		kfree(function->card);
	kfree(function);
}

static int register_types(struct function *function)
{
	uint i;

	for (i = 0; i < TYPES; i++) {
		struct slice_type *type = &function->types[i];

		type->type.sysfs_name = sizes[i].id;
		type->type.pretty_name = sizes[i].name;
		type->function = function;
		type->index = i;
		function->type_list[i] = &type->type;
	}
	return mdev_register_parent(&function->parent, &function->pdev->dev, &slice_driver,
				    function->type_list, TYPES);
}

static int card_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct function *function = kzalloc(sizeof(*function), GFP_KERNEL);
	int error;

	if (!function)
		return -ENOMEM;
	function->pdev = pdev;
	function->is_parent = pdev->is_virtfn || !pci_sriov_get_totalvfs(pdev);
	error = join_card(function);
	if (error) {
		kfree(function);
		return error;
	}
	pci_set_drvdata(pdev, function);
	error = pci_enable_device(pdev);
	if (error)
		goto leave;
	if (function->is_parent)
		error = register_types(function);
	if (!error)
		return 0;
	pci_disable_device(pdev);
leave:
	leave_card(function);
	return error;
}

static void card_remove(struct pci_dev *pdev)
{
	struct function *function = pci_get_drvdata(pdev);

	if (!pdev->is_virtfn)
		pci_disable_sriov(pdev);
	if (function->is_parent)
		mdev_unregister_parent(&function->parent);
	pci_disable_device(pdev);
	leave_card(function);
}

static int card_enable_vfs(struct pci_dev *pdev, int count)
{
	int error;

	if (count) {
		error = pci_enable_sriov(pdev, count);
		return error ? error : count;
	}
	if (pci_vfs_assigned(pdev))
		return -EBUSY;
	pci_disable_sriov(pdev);
	return 0;
}

static const struct pci_device_id card_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },	/* QEMU's "edu", a function alone */
	{ PCI_DEVICE(0x1b36, 0x0010) },	/* QEMU's "nvme", which can have VFs */
	{ }
};
MODULE_DEVICE_TABLE(pci, card_ids);

static struct pci_driver card_driver = {
	.name = KBUILD_MODNAME,
	.id_table = card_ids,
	.probe = card_probe,
	.remove = card_remove,
	.sriov_configure = card_enable_vfs,
	.dev_groups = card_folders,
};

static int __init card_module_init(void)
{
	int error = mdev_register_driver(&slice_driver);

	if (error)
		return error;
	error = pci_register_driver(&card_driver);
	if (error)
		mdev_unregister_driver(&slice_driver);
	return error;
}

static void __exit card_module_exit(void)
{
	pci_unregister_driver(&card_driver);
	mdev_unregister_driver(&slice_driver);
}

module_init(card_module_init);
module_exit(card_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Sundog's lab card: slices of memory as mediated devices");
MODULE_SOFTDEP("pre: vfio_iommu_type1");
