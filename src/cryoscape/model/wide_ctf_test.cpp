#include "cryoscape/model/wide_ctf.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::model {
namespace {

constexpr int kBox = 16;

std::vector<float> random_image(std::uint64_t seed) {
  Philox random(seed);
  std::vector<float> image(kBox * kBox);
  for (auto& x : image) x = static_cast<float>(random.normal());
  return image;
}

/// The filter that moves half of an image by `distance` pixels to the right and half to the left.
std::vector<float> split_filter(int distance) {
  std::vector<float> ctf;
  for (int row = 0; row < 2 * kBox; ++row)
    for (int kx = 0; kx <= kBox; ++kx)
      ctf.push_back(static_cast<float>(std::cos(2 * std::numbers::pi * kx * distance / (2 * kBox))));
  return ctf;
}

TEST(WideCtf, OfOneLeavesTheImage) {
  auto image = random_image(1);
  const auto before = image;
  WideCtf(kBox).apply(std::vector<float>(optics::half_size(2 * kBox), 1.0f).data(), image.data());
  for (std::size_t i = 0; i < image.size(); ++i) EXPECT_NEAR(image[i], before[i], 1e-5);
}

TEST(WideCtf, LosesWhatLeavesTheBox) {
  for (const int distance : {3, 12}) {
    std::vector<float> image(kBox * kBox);
    image[kBox * 8 + 8] = 1;
    WideCtf(kBox).apply(split_filter(distance).data(), image.data());
    for (int x = 0; x < kBox; ++x) {
      const bool there = x == 8 - distance || x == 8 + distance;
      EXPECT_NEAR(image[kBox * 8 + x], there ? 0.5 : 0.0, 1e-5) << distance << " " << x;
    }
  }
}

TEST(WideCtf, IsItsOwnAdjoint) {
  Philox random(4);
  // Any real, even filter; the columns 0 and D must be even in the row by themselves.
  std::vector<float> ctf(optics::half_size(2 * kBox));
  for (auto& c : ctf) c = static_cast<float>(random.normal());
  for (const int column : {0, kBox})
    for (int row = 1; row < kBox; ++row)
      ctf[(2 * kBox - row) * (kBox + 1) + column] = ctf[row * (kBox + 1) + column];
  const auto u = random_image(2), v = random_image(3);
  auto ku = u, kv = v;
  WideCtf wide(kBox);
  wide.apply(ctf.data(), ku.data());
  wide.apply(ctf.data(), kv.data());
  double left = 0, right = 0;
  for (std::size_t i = 0; i < u.size(); ++i) left += double{ku[i]} * v[i], right += double{u[i]} * kv[i];
  EXPECT_NEAR(left, right, 1e-3 * std::abs(left) + 1e-3);
}

}  // namespace
}  // namespace cryoscape::model
