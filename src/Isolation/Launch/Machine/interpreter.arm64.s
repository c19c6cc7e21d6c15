// The interpreter of a launch image, and the trampoline that gives birth to it. AArch64, AAPCS64.
// See interpreter.x64.s for the layout of a step and of struct birth; here x19 is the step and x20 the base.
//
//    aarch64-linux-gnu-as interpreter.arm64.s && aarch64-linux-gnu-objcopy -O binary -j .text a.out interpreter.bin

    .text
entry:                              // the ELF entry point; offset 0
    mov     x20, #0x410000          // where the image's data segment is mapped: 0x411000
    movk    x20, #0x1000
    add     x19, x20, #16           // the steps follow the fault record
next:
    ldp     w8, w0, [x19]
    ldp     w1, w2, [x19, #8]
    ldp     w3, w4, [x19, #16]
    ldr     w5, [x19, #24]
    ldr     x0, [x20, x0]
    ldr     x1, [x20, x1]
    ldr     x2, [x20, x2]
    ldr     x3, [x20, x3]
    ldr     x4, [x20, x4]
    ldr     x5, [x20, x5]
    svc     #0
    ldp     w9, w10, [x19, #28]
    str     x0, [x20, x9]
    ldr     x10, [x20, x10]
    cmp     x0, x10
    b.ne    1f
    ldr     w19, [x19, #36]
    add     x19, x20, x19
    b       next
1:  cmn     x0, #4095               // carry: -4095 to -1 are errors
    b.cc    2f
    sub     x9, x19, x20
    stp     x9, x0, [x20]
    ldr     w19, [x19, #40]
    add     x19, x20, x19
    b       next
2:  add     x19, x19, #44
    b       next

    .balign 16
trampoline:
    stp     x19, x20, [sp, #-48]!
    stp     x21, x22, [sp, #16]
    str     x30, [sp, #32]
    mov     x21, x0
    mov     x8, #135                // rt_sigprocmask(SIG_SETMASK, full, old, 8)
    mov     x0, #2
    add     x1, x21, #72
    add     x2, x21, #64
    mov     x3, #8
    svc     #0
    ldp     x20, x19, [x21, #48]
    ldp     x8, x0, [x21]
    ldp     x1, x2, [x21, #16]
    ldp     x3, x4, [x21, #32]
    svc     #0
    cbz     x0, next
    mov     x22, x0
    mov     x8, #135                // rt_sigprocmask(SIG_SETMASK, old, NULL, 8)
    mov     x0, #2
    add     x1, x21, #64
    mov     x2, #0
    mov     x3, #8
    svc     #0
    mov     x0, x22
    ldr     x30, [sp, #32]
    ldp     x21, x22, [sp, #16]
    ldp     x19, x20, [sp], #48
    ret
