#pragma once
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/io/npy.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"
#include "cryoscape/util/test_data.hpp"
#include "cryoscape/util/test_error.hpp"

/// Hand-made particle files for this room's tests.
namespace cryoscape::particles {

/// An empty folder of the running test's own.
inline std::filesystem::path test_folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto folder = std::filesystem::path(testing::TempDir()) / "cryoscape_particles" /
                      (std::string(test->test_suite_name()) + "_" + test->name());
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

/// A shared sample file; nothing where absent.
inline std::optional<std::filesystem::path> sample(const std::string& name) {
  const auto root = test_data();
  if (!root || !std::filesystem::exists(*root / "formats" / name)) return std::nullopt;
  return *root / "formats" / name;
}

/// Image k holds the values k, k + 1, k + 2, … so that no image is constant.
inline void write_stack(const std::filesystem::path& path, int box, int count, double pixel_size) {
  std::filesystem::create_directories(path.parent_path());
  io::StackWriter writer(path, box, pixel_size);
  std::vector<float> image(static_cast<std::size_t>(box) * box);
  for (int k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(k + i);
    writer.append(image);
  }
  writer.close();
}

/// Text of a STAR table.
inline std::string star_table(const std::string& name, const std::vector<std::string>& columns,
                              const std::vector<std::string>& rows) {
  std::string text = "\ndata_" + name + "\n\nloop_\n";
  for (const auto& c : columns) text += "_" + c + "\n";
  for (const auto& r : rows) text += r + "\n";
  return text;
}

/// Builds the records of a .cs file field by field.
class CsBuilder {
 public:
  explicit CsBuilder(std::size_t rows) : records_(rows) {}

  CsBuilder& floats(const std::string& name, const std::vector<std::vector<float>>& values) {
    const std::size_t width = values[0].size();
    return field(name, "f4", width > 1 ? std::vector<std::size_t>{width} : std::vector<std::size_t>{},
                 [&](std::size_t i) {
                   return std::string(reinterpret_cast<const char*>(values[i % values.size()].data()),
                                      4 * width);
                 });
  }
  CsBuilder& integers(const std::string& name, const std::vector<std::uint64_t>& values,
                      const std::string& type = "u4", std::size_t width = 1) {
    return field(name, type, width > 1 ? std::vector<std::size_t>{width} : std::vector<std::size_t>{},
                 [&](std::size_t i) {
                   std::string bytes;
                   for (std::size_t k = 0; k < width; ++k)
                     bytes.append(reinterpret_cast<const char*>(&values[i % values.size()]), type[1] - '0');
                   return bytes;
                 });
  }
  CsBuilder& strings(const std::string& name, const std::vector<std::string>& values) {
    return field(name, "S40", {}, [&](std::size_t i) {
      auto text = values[i % values.size()];
      text.resize(40, '\0');
      return text;
    });
  }
  /// The images of one stack in order, with their CTF.
  CsBuilder& images(const std::string& stack, int box, float pixel_size) {
    std::vector<std::uint64_t> index(records_.size());
    for (std::size_t i = 0; i < index.size(); ++i) index[i] = i;
    const std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(box)};
    return strings("blob/path", {stack})
        .integers("blob/idx", index)
        .integers("blob/shape", shape, "u4", 2)
        .floats("blob/psize_A", {{pixel_size}});
  }
  CsBuilder& ctf() {
    return floats("ctf/accel_kv", {{300}})
        .floats("ctf/cs_mm", {{2.7f}})
        .floats("ctf/amp_contrast", {{0.1f}})
        .floats("ctf/df1_A", {{12000}})
        .floats("ctf/df2_A", {{11500}})
        .floats("ctf/df_angle_rad", {{0.5f}});
  }

  void write(const std::filesystem::path& path) const {
    auto array = array_;
    array.shape = {records_.size()};
    std::vector<std::uint32_t> rows(records_.size());
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      rows[i] = i;
      array.record_size = records_[i].size();
      array.bytes.insert(array.bytes.end(), records_[i].begin(), records_[i].end());
    }
    io::write_npy_rows(path, array, rows);
  }

 private:
  template <class Bytes>
  CsBuilder& field(const std::string& name, const std::string& type, std::vector<std::size_t> shape,
                   Bytes&& bytes) {
    io::NpyField f;
    f.name = name, f.type = type, f.offset = records_[0].size();
    for (const auto n : shape) f.count *= n;
    f.shape = std::move(shape);
    array_.fields.push_back(f);
    for (std::size_t i = 0; i < records_.size(); ++i) records_[i] += bytes(i);
    return *this;
  }

  io::NpyArray array_;
  std::vector<std::string> records_;
};

/// A RELION 3.1 file of `count` particles in `stack`, one optics group; every particle has its own pose and
/// defocus.
inline std::string relion31_text(const std::string& stack, int count,
                                 const std::string& optics = "1 g1 300 2.7 0.1 1.5 8") {
  std::vector<std::string> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back(std::to_string(i + 1) + "@" + stack + " 1 " + std::to_string(10 * i) + " " +
                   std::to_string(5 * i) + " -30 1.5 -2.5 " + std::to_string(15000 + 10 * i) + " 14000 25 " +
                   std::to_string(1 + i % 2));
  return star_table("optics",
                    {"rlnOpticsGroup", "rlnOpticsGroupName", "rlnVoltage", "rlnSphericalAberration",
                     "rlnAmplitudeContrast", "rlnImagePixelSize", "rlnImageSize"},
                    {optics}) +
         star_table("particles",
                    {"rlnImageName", "rlnOpticsGroup", "rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi",
                     "rlnOriginXAngst", "rlnOriginYAngst", "rlnDefocusU", "rlnDefocusV", "rlnDefocusAngle",
                     "rlnRandomSubset"},
                    rows);
}

/// True if one of the notes holds `text`.
inline bool has_note(const std::vector<std::string>& notes, const std::string& text) {
  for (const auto& n : notes)
    if (n.find(text) != std::string::npos) return true;
  return false;
}

}  // namespace cryoscape::particles
