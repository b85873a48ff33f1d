/*
 * The first sector of the payload's disk: asks the BIOS for the sectors behind it,
 * enters protected mode with flat segments, and calls the payload.
 */
	.code16
	.section .start, "ax"
	.globl _start
_start:	cli
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$_start, %sp
	mov	$packet, %si
	mov	$0x42, %ah		/* read by block number; %dl is the disk */
	int	$0x13
	jc	stuck
	lgdt	segments_at
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmp	$0x08, $protected
stuck:	hlt
	jmp	stuck

	.code32
protected:
	mov	$0x10, %ax
	mov	%ax, %ds
	mov	%ax, %es
	mov	%ax, %ss
	mov	$_start, %esp
	mov	$_bss, %edi
	mov	$_end, %ecx
	sub	%edi, %ecx
	xor	%eax, %eax
	rep stosb
	call	payload
idle:	hlt
	jmp	idle

	.balign 8
packet:	.byte	16, 0
	.word	_sectors
	.word	_start + 512, 0
	.quad	1
segments:
	.quad	0
	.quad	0x00cf9a000000ffff
	.quad	0x00cf92000000ffff
segments_at:
	.word	. - segments - 1
	.long	segments

	.org	510
	.word	0xaa55

	.text
	/* The timer's interrupt only ends a halt. */
	.globl tick
tick:	push	%eax
	mov	$0x20, %al
	out	%al, $0x20
	pop	%eax
	iret

	.section .note.GNU-stack, "", @progbits
