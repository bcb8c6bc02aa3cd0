// Does a known number of things. activity FORKS THREADS EXECS CONNECTS DATAGRAMS: of each so many, one after the other.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void* nothing(void* argument) {
  return argument;
}

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void child(char* const* program) {
  const pid_t pid = fork();
  if (pid < 0) fail("fork");
  if (pid == 0) {
    if (program) execv(program[0], program);
    _exit(program ? 1 : 0);
  }
  int status;
  if (waitpid(pid, &status, 0) != pid || status != 0) fail("waitpid");
}

int main(int count, char** arguments) {
  if (count != 6) return 2;
  for (long i = atol(arguments[1]); i > 0; --i) child(NULL);
  for (long i = atol(arguments[2]); i > 0; --i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) fail("thread");
  }
  char* const program[] = {"/bin/true", NULL};
  for (long i = atol(arguments[3]); i > 0; --i) child(program);

  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (struct sockaddr*)&address, size) != 0 || listen(listener, 8) != 0) fail("listen");
  getsockname(listener, (struct sockaddr*)&address, &size);
  for (long i = atol(arguments[4]); i > 0; --i) {
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(client, (struct sockaddr*)&address, size) != 0) fail("connect");
    const int server = accept(listener, NULL, NULL);
    char text[1000] = {0};
    if (write(client, text, sizeof text) != sizeof text || read(server, text, sizeof text) <= 0) fail("talk");
    close(client);
    close(server);
  }
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(receiver, (struct sockaddr*)&to, size) != 0) fail("bind");
  getsockname(receiver, (struct sockaddr*)&to, &size);
  for (long i = atol(arguments[5]); i > 0; --i) {
    char text[500] = {0};
    if (sendto(sender, text, sizeof text, 0, (struct sockaddr*)&to, size) != sizeof text) fail("sendto");
    if (read(receiver, text, sizeof text) != sizeof text) fail("read");
  }
  return 0;
}
