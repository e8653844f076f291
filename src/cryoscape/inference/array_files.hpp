#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cryoscape/io/npy.hpp"

/// Arrays of a run's likelihood folder, for this room's files.
namespace cryoscape::inference {

/// Writes folder/name.npy, (values / columns, columns); the folder is made.
void write_array(const std::filesystem::path& folder, const std::string& name, std::size_t columns,
                 std::span<const float> values);
/// Reads it back. Throws Error for another shape than (rows, columns); `command` writes it anew.
std::vector<float> read_array(const std::filesystem::path& folder, const std::string& name, std::size_t rows,
                              std::size_t columns, const std::string& command);
/// The same with any number of columns.
io::FloatMatrix read_rows(const std::filesystem::path& folder, const std::string& name, std::size_t rows,
                          const std::string& command);

/// The same for rows of particles; reading throws Error unless they ascend.
void write_particles(const std::filesystem::path& folder, const std::string& name,
                     const std::vector<std::uint32_t>& particle);
std::vector<std::uint32_t> read_particles(const std::filesystem::path& folder, const std::string& name,
                                          const std::string& command);

}  // namespace cryoscape::inference
