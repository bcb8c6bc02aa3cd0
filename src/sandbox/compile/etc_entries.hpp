#pragma once

#include <array>
#include <string_view>

// What of the host's /etc programs need to work as they do outside. Both ends read this list: the prober looks which of
// these exist, and compile() binds those and no others.
//
// Every entry is world-readable configuration without secrets. Left out on purpose: passwd, group, hosts, hostname,
// resolv.conf and nsswitch.conf (written anew for each agent); shadow, ssh, sudoers; ssl/private and pki/tls/private;
// environment, profile.d, wgetrc, gitconfig, npmrc, pip.conf and maven/settings.xml, where tokens and proxies with
// passwords live; machine-id, which tells hosts apart. Each entry is a mount, some 20 us of every start: it must earn
// it.
namespace agentos::sandbox {

constexpr auto etc_entries =
    std::to_array<std::string_view>({// the dynamic linker
                                     "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
                                     // links from /usr/bin to the chosen implementation
                                     "alternatives",
                                     // trust: certificates and algorithms, never keys
                                     "ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "pki/ca-trust", "pki/java",
                                     "pki/tls/certs", "pki/tls/cert.pem", "pki/tls/openssl.cnf", "crypto-policies",
                                     // time and language
                                     "localtime", "timezone", "locale.alias",
                                     // names of protocols and services, kinds of file and of terminal
                                     "protocols", "services", "mime.types", "terminfo",
                                     // shells and line editing
                                     "bash.bashrc", "profile", "inputrc",
                                     // what languages and tools keep here
                                     "python3", "perl", "maven/m2.conf", "maven/logging", "R", "texmf", "fonts", "vim",
                                     // which system this is
                                     "os-release", "debian_version"});

// Entries directly in /etc whose name starts so: java-17-openjdk, python3.11.
constexpr auto etc_prefixes = std::to_array<std::string_view>({"java-", "python3."});

// Whether `entry`, a path below /etc, is one of the above.
[[nodiscard]] constexpr bool is_etc_entry(std::string_view entry) {
  for (const auto name : etc_entries) {
    if (entry == name) return true;
  }
  if (entry.find('/') != std::string_view::npos || entry.find('\0') != std::string_view::npos) return false;
  for (const auto prefix : etc_prefixes) {
    if (entry.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace agentos::sandbox
