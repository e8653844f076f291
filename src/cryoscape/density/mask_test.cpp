#include "cryoscape/density/mask.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "cryoscape/io/mrc.hpp"
#include "cryoscape/particles/test_files.hpp"

using namespace cryoscape;
using namespace cryoscape::density;
using particles::test_folder;

namespace {

io::Volume volume(int box, double pixel_size, float value) {
  io::Volume v;
  v.nx = v.ny = v.nz = box, v.pixel_size = pixel_size;
  v.data.assign(static_cast<std::size_t>(box) * box * box, value);
  return v;
}

}  // namespace

TEST(SoftSphere, HasItsVolumeAndIsCentred) {
  constexpr int kBox = 40;
  const auto mask = soft_sphere(kBox, 2, 40, 4);  // Å: radius 10 voxels, edge 2
  double sum = 0, x = 0;
  for (std::size_t i = 0; i < mask.size(); ++i)
    sum += mask[i], x += mask[i] * (static_cast<double>(i % kBox) - kBox / 2);
  // A cosine edge has half its shell's volume, to second order in its width.
  EXPECT_NEAR(sum / (4.0 / 3 * std::numbers::pi * std::pow(11, 3)), 1, 0.02);
  EXPECT_NEAR(x, 0, 1e-6 * sum);
  EXPECT_EQ(mask[(20 * kBox + 20) * kBox + 20], 1);
}

TEST(ClearCorners, LeavesTheSphere) {
  auto map = volume(16, 1, 1).data;
  clear_corners(16, map);
  EXPECT_EQ(map.front(), 0);
  EXPECT_EQ(map[(8 * 16 + 8) * 16], 1);
  EXPECT_EQ(map[(8 * 16 + 8) * 16 + 8], 1);
}

TEST(ReadMask, TellsWhatDoesNotFit) {
  const auto folder = test_folder();
  const auto error = [&](const io::Volume& v) {
    io::write_mrc(folder / "mask.mrc", v);
    return error_of([&] { read_mask(folder / "mask.mrc", 8, 1.5); });
  };
  EXPECT_EQ(error(volume(8, 1.5, 1)), "");
  EXPECT_NE(error(volume(10, 1.5, 1))
                .find("mask.mrc has 10 x 10 x 10 voxels, but the reconstruction has a box of 8"),
            std::string::npos);
  EXPECT_NE(error(volume(8, 1.2, 1)).find("voxels of 1.2000 A, but those of the reconstruction are 1.5000 A"),
            std::string::npos);
  EXPECT_NE(error(volume(8, 1.5, 2)).find("is no mask"), std::string::npos);
  EXPECT_NE(error(volume(8, 1.5, 0)).find("is no mask"), std::string::npos);
  EXPECT_NE(error(volume(8, 1.5, std::numeric_limits<float>::quiet_NaN())).find("not finite"),
            std::string::npos);
}
