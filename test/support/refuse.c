/*
 * Runs a program whose kernel refuses some system calls:
 *
 *     refuse ERRNO RULE... -- PROGRAM ARGUMENT...
 *
 * A rule is the name of a call (recvmmsg, sendmmsg), socket:DOMAIN or setsockopt:LEVEL:OPTION, in
 * numbers.
 * It is a seccomp filter, as containers have: children inherit it, and nobody can remove it.
 */

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_INSTRUCTIONS 128

static struct sock_filter code[MAX_INSTRUCTIONS];
static unsigned short length;

static void add(unsigned short op, unsigned char ifTrue, unsigned char ifFalse, unsigned value) {
  code[length++] = (struct sock_filter){op, ifTrue, ifFalse, value};
}

/* The lower half of an argument, which holds an int (little-endian). */
static void loadArgument(int index) {
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, args) + 8 * index);
}

static void loadCall(void) {
  add(BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr));
}

static void refuse(const char *rule, unsigned error) {
  unsigned level, option;
  loadCall();
  if (sscanf(rule, "setsockopt:%u:%u", &level, &option) == 2) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, SYS_setsockopt);
    loadArgument(1);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, level);
    loadArgument(2);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, option);
  } else if (sscanf(rule, "socket:%u", &level) == 1) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_socket);
    loadArgument(0);
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, level);
  } else if (strcmp(rule, "recvmmsg") == 0) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_recvmmsg);
  } else if (strcmp(rule, "sendmmsg") == 0) {
    add(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_sendmmsg);
  } else {
    fprintf(stderr, "refuse: unknown rule %s\n", rule);
    exit(2);
  }
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | (error & SECCOMP_RET_DATA));
}

static unsigned errorNumber(const char *name) {
  if (strcmp(name, "EPERM") == 0) return EPERM;
  if (strcmp(name, "ENOSYS") == 0) return ENOSYS;
  if (strcmp(name, "ENOPROTOOPT") == 0) return ENOPROTOOPT;
  if (strcmp(name, "EAFNOSUPPORT") == 0) return EAFNOSUPPORT;
  fprintf(stderr, "refuse: unknown error %s\n", name);
  exit(2);
}

int main(int count, char **arguments) {
  if (count < 2) return 2;
  unsigned error = errorNumber(arguments[1]);
  int next = 2;
  for (; next < count && strcmp(arguments[next], "--") != 0; next++) {
    if (length + 8 > MAX_INSTRUCTIONS) return 2;
    refuse(arguments[next], error);
  }
  add(BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
  struct sock_fprog program = {length, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    perror("refuse");
    return 3;
  }
  if (next + 1 >= count) return 2;
  execv(arguments[next + 1], arguments + next + 1);
  perror(arguments[next + 1]);
  return 4;
}
