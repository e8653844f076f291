#pragma once
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace cryoscape {

/// For tests: the folder of shared data. CRYOSCAPE_TEST_DATA, else shared/data in a parent of the working
/// directory; nothing where absent.
inline std::optional<std::filesystem::path> test_data() {
  if (const char* folder = std::getenv("CRYOSCAPE_TEST_DATA")) return std::filesystem::path(folder);
  for (auto at = std::filesystem::current_path();; at = at.parent_path()) {
    if (std::filesystem::is_directory(at / "shared/data/adk")) return at / "shared/data";
    if (at == at.parent_path()) return std::nullopt;
  }
}

}  // namespace cryoscape
