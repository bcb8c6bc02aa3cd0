/* SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 */
/* The network of agents: what they connect to, and how much goes to and fro. Attached to the cgroup of all tenants. */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>

#include "agentos/account.h"

char program_license[] SEC("license") = "GPL";

static __always_inline void tell(const struct bpf_sock_addr* context, __u32 family) {
  struct agent agent;
  if (!current_agent(&agent)) return;
  count(&agent.account->connects, 1);
  struct agentos_connect* record = reserve(&agent, sizeof *record, AGENTOS_EVENT_CONNECT);
  if (!record) return;
  record->family = family;
  record->protocol = context->protocol;
  record->port = bpf_ntohs(context->user_port);
  record->reserved = 0;
  __u32 address[4] = {0, 0, 0, 0};
  if (family == 2) {
    address[0] = context->user_ip4;
  } else {
    address[0] = context->user_ip6[0];
    address[1] = context->user_ip6[1];
    address[2] = context->user_ip6[2];
    address[3] = context->user_ip6[3];
  }
  __builtin_memcpy(record->address, address, sizeof address);
  bpf_ringbuf_submit(record, 0);
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr* context) {
  tell(context, 2);
  return 1;
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr* context) {
  tell(context, 10);
  return 1;
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr* context) {
  tell(context, 2);
  return 1;
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr* context) {
  tell(context, 10);
  return 1;
}

SEC("cgroup_skb/egress")
int sent(struct __sk_buff* packet) {
  struct agent agent;
  if (!find_agent(bpf_skb_ancestor_cgroup_id(packet, agent_level), &agent)) return 1;
  count(&agent.account->sent_packets, 1);
  count(&agent.account->sent_bytes, packet->len);
  return 1;
}

SEC("cgroup_skb/ingress")
int received(struct __sk_buff* packet) {
  struct agent agent;
  if (!find_agent(bpf_skb_ancestor_cgroup_id(packet, agent_level), &agent)) return 1;
  count(&agent.account->received_packets, 1);
  count(&agent.account->received_bytes, packet->len);
  return 1;
}
