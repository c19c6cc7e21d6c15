# The interpreter of a launch image, and the trampoline that gives birth to it. x86-64, System V.
#
# One instruction exists: do a system call; store its result; if the result equals the expected value go here,
# if it is an error go there, else go on with the next step. A step is eleven 32-bit words:
#
#    0 number   4..24 six operands   28 result   32 expected   36 equal   40 error
#
# Operands, result and expected are offsets of 64-bit slots from the base (r12); equal and error are offsets of steps.
# The base begins with the fault record: offset of the step whose error was met last, and its result.
# No stack is used: a child made with CLONE_VM runs here on its parent's memory.
#
#    as --64 interpreter.x64.s && objcopy -O binary -j .text a.out interpreter.bin

    .intel_syntax noprefix
    .text
entry:                              # the ELF entry point; offset 0
    mov     r12d, 0x411000          # where the image's data segment is mapped
    lea     rbx, [r12+16]           # the steps follow the fault record
next:
    mov     eax, [rbx]
    mov     edi, [rbx+4]
    mov     rdi, [r12+rdi]
    mov     esi, [rbx+8]
    mov     rsi, [r12+rsi]
    mov     edx, [rbx+12]
    mov     rdx, [r12+rdx]
    mov     ecx, [rbx+16]
    mov     r10, [r12+rcx]
    mov     ecx, [rbx+20]
    mov     r8, [r12+rcx]
    mov     ecx, [rbx+24]
    mov     r9, [r12+rcx]
    syscall                         # clobbers rcx and r11
    mov     ecx, [rbx+28]
    mov     [r12+rcx], rax
    mov     ecx, [rbx+32]
    cmp     rax, [r12+rcx]
    jne     1f
    mov     ebx, [rbx+36]
    add     rbx, r12
    jmp     next
1:  cmp     rax, -4095              # unsigned: -4095 to -1 are errors
    jb      2f
    sub     rbx, r12
    mov     [r12], rbx
    mov     [r12+8], rax
    mov     ebx, [r12+rbx+40]
    add     rbx, r12
    jmp     next
2:  add     rbx, 44
    jmp     next

# long trampoline(struct birth *rdi): clones with all signals blocked; the child becomes the interpreter of the
# steps at `first`, the parent returns the result of the clone with its signal mask restored.
#
#    0 number   8..40 five operands   48 base   56 first   64 old mask   72 full mask
    .balign 16
trampoline:
    push    rbx
    push    r12
    push    r13
    push    r14
    push    r15
    mov     r13, rdi
    mov     eax, 14                 # rt_sigprocmask(SIG_SETMASK, full, old, 8)
    mov     edi, 2
    lea     rsi, [r13+72]
    lea     rdx, [r13+64]
    mov     r10d, 8
    syscall
    mov     r12, [r13+48]
    mov     rbx, [r13+56]
    mov     rax, [r13]
    mov     rdi, [r13+8]
    mov     rsi, [r13+16]
    mov     rdx, [r13+24]
    mov     r10, [r13+32]
    mov     r8, [r13+40]
    syscall
    test    rax, rax
    jz      next
    mov     r14, rax
    mov     eax, 14                 # rt_sigprocmask(SIG_SETMASK, old, NULL, 8)
    mov     edi, 2
    lea     rsi, [r13+64]
    xor     edx, edx
    mov     r10d, 8
    syscall
    mov     rax, r14
    pop     r15
    pop     r14
    pop     r13
    pop     r12
    pop     rbx
    ret
