#pragma once
#include <filesystem>

#include "cryoscape/torch.hpp"

namespace cryoscape::training {

/// Writes an archive; beside and renamed. Throws Error, where libtorch's own file writer ends the process
/// when the disk is full.
void write_archive(const std::filesystem::path& path, torch::serialize::OutputArchive& archive);

}  // namespace cryoscape::training
