#pragma once
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>

namespace cryoscape {

/// Writes `path` by calling write(temporary path) on a file beside it and renaming: readers see the old file
/// or the new one, never half of one. Parents are created. If write throws, the temporary is removed and the
/// old file stays. Throws Error (naming path and the system's reason, e.g. "No space left on device").
void replace_file(const std::filesystem::path& path,
                  const std::function<void(const std::filesystem::path& temporary)>& write);

/// The same for a stream; checks the stream after flushing, so a full disk is an Error.
void replace_file_stream(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

/// The same for text.
void replace_text_file(const std::filesystem::path& path, const std::string& text);

/// Reads a whole text file. Throws Error if it cannot be read.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace cryoscape
