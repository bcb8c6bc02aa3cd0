#pragma once

#include <array>
#include <string_view>

// What of the host's /etc programs need to work as they do outside. Both ends read this list: the prober looks which of
// these exist, and compile() binds those and no others.
//
// Every entry is world-readable configuration without secrets. Left out on purpose: passwd, group, hosts, hostname,
// resolv.conf and nsswitch.conf (written anew for each agent); shadow, ssh, sudoers; ssl/private and pki/tls/private;
// environment, profile.d, wgetrc, gitconfig, npmrc, pip.conf and maven/settings.xml, where tokens and proxies with
// passwords live; machine-id, which tells hosts apart.
namespace agentos::sandbox {

constexpr std::array<std::string_view, 44> etc_entries{
    // the dynamic linker
    "ld.so.cache", "ld.so.conf", "ld.so.conf.d",
    // links from /usr/bin to the chosen implementation
    "alternatives",
    // trust: certificates and algorithms, never keys
    "ssl/certs", "ssl/openssl.cnf", "ssl/cert.pem", "pki/ca-trust", "pki/java", "pki/tls/certs", "pki/tls/cert.pem",
    "pki/tls/openssl.cnf", "ca-certificates", "ca-certificates.conf", "crypto-policies",
    // time and language
    "localtime", "timezone", "locale.alias", "locale.conf", "default/locale",
    // names of protocols, services and hosts
    "protocols", "services", "host.conf", "gai.conf",
    // kinds of file and kinds of terminal
    "mime.types", "magic", "magic.mime", "terminfo", "xattr.conf",
    // shells and line editing
    "bash.bashrc", "profile", "inputrc", "shells",
    // what Debian's and others' packages of languages keep here
    "python3", "perl", "maven/m2.conf", "maven/logging", "nodejs", "R", "texmf", "fonts", "vim",
    // which system this is
    "os-release", "debian_version"};

// Entries directly in /etc whose name starts so: java-17-openjdk, python3.11.
constexpr std::array<std::string_view, 2> etc_prefixes{"java-", "python3."};

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
