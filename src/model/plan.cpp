#include "agentos/model/plan.hpp"

#include <cstring>

namespace agentos {

namespace {

void put(Writer& to, const LayerSpace& space) {
  to.put(space.bytes);
  to.put(space.inodes);
}

LayerSpace get_space(Reader& from) {
  LayerSpace space;
  space.bytes = from.get<std::uint64_t>();
  space.inodes = from.get<std::uint64_t>();
  return space;
}

}  // namespace

void MountStep::encode(Writer& to) const {
  to.put(kind);
  to.put(flags);
  to.put(mode);
  to.put(source);
  to.put(target);
  to.put(data);
}

MountStep MountStep::decode(Reader& from) {
  MountStep step;
  step.kind = from.get_enum(Kind::grant);
  step.flags = from.get<std::uint32_t>();
  step.mode = from.get<std::uint32_t>();
  step.source = from.get_string();
  step.target = from.get_string();
  step.data = from.get_string();
  return step;
}

void CgroupSetting::encode(Writer& to) const {
  to.put(file);
  to.put(value);
}

CgroupSetting CgroupSetting::decode(Reader& from) {
  CgroupSetting setting;
  setting.file = from.get_string();
  setting.value = from.get_string();
  return setting;
}

void RlimitSetting::encode(Writer& to) const {
  to.put(resource);
  to.put(limit);
}

RlimitSetting RlimitSetting::decode(Reader& from) {
  RlimitSetting setting;
  setting.resource = from.get<std::uint32_t>();
  setting.limit = from.get<std::uint64_t>();
  return setting;
}

void LandlockRule::encode(Writer& to) const {
  to.put(access);
  to.put(path);
}

LandlockRule LandlockRule::decode(Reader& from) {
  LandlockRule rule;
  rule.access = from.get<std::uint64_t>();
  rule.path = from.get_string();
  return rule;
}

void LandlockRules::encode(Writer& to) const {
  to.put(handled_fs);
  to.put(scoped);
  to.put(beneath);
}

LandlockRules LandlockRules::decode(Reader& from) {
  LandlockRules rules;
  rules.handled_fs = from.get<std::uint64_t>();
  rules.scoped = from.get<std::uint64_t>();
  rules.beneath = from.get_list<LandlockRule>(LandlockRule::decode);
  return rules;
}

void Plan::encode(Writer& to) const {
  to.put(tenant);
  to.put(agent);
  to.put(hostname);
  to.put(caller_uid);
  to.put(caller_gid);
  to.put(workspace_mode);
  put(to, layer_limit);
  to.put(mounts);
  to.put(cgroup);
  to.put(rlimits);
  landlock.encode(to);
  to.put(std::string_view(reinterpret_cast<const char*>(seccomp.data()), seccomp.size() * sizeof(sock_filter)));
}

Plan Plan::decode(Reader& from) {
  Plan plan;
  plan.tenant = from.get_string();
  plan.agent = from.get_string();
  plan.hostname = from.get_string();
  plan.caller_uid = from.get<std::uint32_t>();
  plan.caller_gid = from.get<std::uint32_t>();
  plan.workspace_mode = from.get_enum(WorkspaceMode::bind);
  plan.layer_limit = get_space(from);
  plan.mounts = from.get_list<MountStep>(MountStep::decode);
  plan.cgroup = from.get_list<CgroupSetting>(CgroupSetting::decode);
  plan.rlimits = from.get_list<RlimitSetting>(RlimitSetting::decode);
  plan.landlock = LandlockRules::decode(from);
  const auto filter = from.get_text();
  if (filter.size() % sizeof(sock_filter) != 0) from.refuse();
  plan.seccomp.resize(filter.size() / sizeof(sock_filter));
  if (!plan.seccomp.empty()) {
    std::memcpy(plan.seccomp.data(), filter.data(), plan.seccomp.size() * sizeof(sock_filter));
  }
  return plan;
}

namespace {

bool names_agent(SpawndRequest::Kind kind) {
  using Kind = SpawndRequest::Kind;
  return kind != Kind::probe && kind != Kind::start && kind != Kind::meter;
}

}  // namespace

std::string SpawndRequest::encode() const {
  Writer to;
  to.put(plan_protocol_version);
  to.put(id);
  to.put(kind);
  if (kind == Kind::start) plan.encode(to);
  if (kind == Kind::remove) to.put(tenant);
  if (names_agent(kind)) to.put(agent);
  return std::move(to).take();
}

namespace {

std::unexpected<Error> refuse_packet(std::string_view what) {
  return fail(ErrorKind::invalid, std::string(what) + " is malformed or of another protocol version",
              "agentosd and agentos-spawnd must be of one version: restart both");
}

}  // namespace

Result<SpawndRequest> SpawndRequest::decode(std::string_view packet) {
  Reader from(packet);
  SpawndRequest request;
  if (from.get<std::uint32_t>() != plan_protocol_version) from.refuse();
  request.id = from.get<std::uint64_t>();
  request.kind = from.get_enum(Kind::meter);
  if (request.kind == Kind::start) request.plan = Plan::decode(from);
  if (request.kind == Kind::remove) request.tenant = from.get_string();
  if (names_agent(request.kind)) request.agent = from.get_string();
  if (!from.finished()) return refuse_packet("request to agentos-spawnd");
  return request;
}

std::string SpawndReply::encode() const {
  Writer to;
  to.put(plan_protocol_version);
  to.put(id);
  to.put(kind);
  switch (kind) {
    case Kind::failed:
      to.put(error);
      to.put(number);
      to.put(message);
      to.put(hint);
      break;
    case Kind::facts:
      to.put(facts);
      break;
    case Kind::started:
      to.put(pid);
      to.put(start_time);
      to.put(uid_base);
      to.put(cgroup);
      break;
    case Kind::removed:
    case Kind::meter:
      break;
    case Kind::layer:
      to.put(layer.empty);
      put(to, layer.limit);
      put(to, layer.used);
      break;
    case Kind::layers:
      to.put(layers);
      break;
  }
  return std::move(to).take();
}

Result<SpawndReply> SpawndReply::decode(std::string_view packet) {
  Reader from(packet);
  SpawndReply reply;
  if (from.get<std::uint32_t>() != plan_protocol_version) from.refuse();
  reply.id = from.get<std::uint64_t>();
  reply.kind = from.get_enum(Kind::meter);
  switch (reply.kind) {
    case Kind::failed:
      reply.error = from.get_enum(ErrorKind::unsupported);
      reply.number = from.get<std::int32_t>();
      reply.message = from.get_string();
      reply.hint = from.get_string();
      break;
    case Kind::facts:
      reply.facts = from.get_string();
      break;
    case Kind::started:
      reply.pid = from.get<std::int32_t>();
      reply.start_time = from.get<std::uint64_t>();
      reply.uid_base = from.get<std::uint32_t>();
      reply.cgroup = from.get_string();
      break;
    case Kind::removed:
    case Kind::meter:
      break;
    case Kind::layer:
      reply.layer.empty = from.get_bool();
      reply.layer.limit = get_space(from);
      reply.layer.used = get_space(from);
      break;
    case Kind::layers:
      reply.layers = from.get_strings();
      break;
  }
  if (!from.finished()) return refuse_packet("reply of agentos-spawnd");
  return reply;
}

}  // namespace agentos
