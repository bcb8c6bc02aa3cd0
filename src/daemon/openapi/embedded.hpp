#pragma once

namespace agentos::openapi {

extern const char embedded_text[];  // openapi.json

}  // namespace agentos::openapi
