#include "cryoscape/util/files.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "cryoscape/util/error.hpp"

namespace cryoscape {
namespace fs = std::filesystem;

void replace_file(const fs::path& path, const std::function<void(const fs::path&)>& write) {
  std::error_code code;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), code);
    if (code) fail("cannot create the folder {}: {}", path.parent_path().string(), code.message());
  }
  fs::path temporary = path;
  temporary += "." + std::to_string(getpid()) + ".part";
  try {
    write(temporary);
    fs::rename(temporary, path, code);
    if (code) fail("cannot write {}: {}", path.string(), code.message());
  } catch (...) {
    fs::remove(temporary, code);
    throw;
  }
}

void replace_file_stream(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  replace_file(path, [&](const fs::path& temporary) {
    errno = 0;
    std::ofstream stream(temporary, std::ios::binary);
    if (stream) write(stream);
    stream.flush();
    if (!stream) fail("cannot write {}: {}", path.string(), errno ? std::strerror(errno) : "output error");
  });
}

void replace_text_file(const fs::path& path, const std::string& text) {
  replace_file_stream(path, [&](std::ostream& stream) { stream << text; });
}

std::string read_text_file(const fs::path& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  if (stream && fs::is_regular_file(path)) text << stream.rdbuf();
  if (!stream || !fs::is_regular_file(path))
    fail("cannot read {}: {}", path.string(), errno ? std::strerror(errno) : "not a file");
  return text.str();
}

}  // namespace cryoscape
