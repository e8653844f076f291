#include "cryoscape/training/archive_file.hpp"

#include <ostream>

#include "cryoscape/util/files.hpp"

namespace cryoscape::training {

void write_archive(const std::filesystem::path& path, torch::serialize::OutputArchive& archive) {
  replace_file_stream(path, [&](std::ostream& stream) {
    archive.save_to([&](const void* data, std::size_t bytes) {
      stream.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
      return bytes;
    });
  });
}

}  // namespace cryoscape::training
