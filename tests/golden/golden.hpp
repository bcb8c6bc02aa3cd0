#pragma once

#include <string>

namespace agentos::golden {

// Compares text with the file of that name in data/, and fails with the first line that differs. With
// AGENTOS_UPDATE_GOLDEN=1 the file is written instead; the difference is then read in the commit.
void expect_golden(const std::string& name, const std::string& text);

}  // namespace agentos::golden
