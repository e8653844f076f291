#include "cryoscape/structure/docking.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/random.hpp"

using namespace cryoscape;
using namespace cryoscape::structure;

namespace {

std::vector<float> blob(const geometry::Vec3& middle, double spread = 8, int count = 60) {
  Philox random(1);
  std::vector<float> x;
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < 3; ++k)
      x.push_back(static_cast<float>(middle[k] + spread * (random.uniform() + random.uniform() - 1)));
  return x;
}

/// The map of Gaussians at x, drawn voxel by voxel.
io::Volume map_of(std::span<const float> x, std::span<const float> amplitudes, int n, double pixel_size,
                  const std::array<double, 3>& origin) {
  io::Volume map;
  map.nx = map.ny = map.nz = n;
  map.pixel_size = pixel_size, map.origin = origin;
  for (int z = 0; z < n; ++z)
    for (int y = 0; y < n; ++y)
      for (int i = 0; i < n; ++i) {
        double density = 0;
        const double at[3] = {origin[0] + i * pixel_size, origin[1] + y * pixel_size,
                              origin[2] + z * pixel_size};
        for (std::size_t a = 0; a < amplitudes.size(); ++a) {
          double r2 = 0;
          for (int k = 0; k < 3; ++k) r2 += (at[k] - x[3 * a + k]) * (at[k] - x[3 * a + k]);
          density += amplitudes[a] * std::exp(-r2 / 18);
        }
        map.data.push_back(static_cast<float>(density));
      }
  return map;
}

}  // namespace

TEST(FindModelCentre, TheMapsHeaderDecides) {
  io::MrcHeader map{};
  map.nx = 64, map.ny = 64, map.nz = 100;
  map.pixel_size = 1.5;
  map.origin = {10, 20, -30};
  const auto found = find_model_centre(blob({0, 0, 0}), 96, map, ModelOrigin::centre);
  EXPECT_EQ(found.centre, (geometry::Vec3{10 + 48, 20 + 48, -30 + 75}));
}

TEST(FindModelCentre, CornerBasedOrCentredByWhereTheModelLies) {
  for (const double off : {-23.0, 0.0, 23.0}) {
    EXPECT_EQ(find_model_centre(blob({50 + off, 50, 50}), 100, std::nullopt, std::nullopt).centre,
              (geometry::Vec3{50, 50, 50}));
    EXPECT_EQ(find_model_centre(blob({0, off, 0}), 100, std::nullopt, std::nullopt).centre,
              (geometry::Vec3{}));
  }
}

TEST(FindModelCentre, AsTold) {
  const auto x = blob({500, 0, 0});
  EXPECT_EQ(find_model_centre(x, 100, std::nullopt, ModelOrigin::corner).centre,
            (geometry::Vec3{50, 50, 50}));
  EXPECT_EQ(find_model_centre(x, 100, std::nullopt, ModelOrigin::centre).centre, (geometry::Vec3{}));
}

TEST(FindModelCentre, AsksWhenTheModelIsFarFromBoth) {
  for (const geometry::Vec3& middle : {geometry::Vec3{200, 50, 50}, {28, 28, 0}, {0, 0, 60}}) {
    try {
      find_model_centre(blob(middle), 100, std::nullopt, std::nullopt);
      FAIL();
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("--model-origin"), std::string::npos);
      EXPECT_EQ(std::string(e.what()).find('\n'), std::string::npos);
    }
  }
}

TEST(Centred, MovesTheCentreToZero) {
  EXPECT_EQ(centred(std::vector<float>{1, 2, 3, 4, 5, 6}, {1, 2, 3}), (std::vector<float>{0, 0, 0, 3, 3, 3}));
}

TEST(CorrelateWithMap, KnowsThePlaceAndTheHand) {
  const std::array<double, 3> origin{5, -10, 20};
  constexpr int kSize = 24;
  const double middle = kSize / 2 * 2.0;
  const auto x = blob({origin[0] + middle, origin[1] + middle, origin[2] + middle}, 14, 12);
  const std::vector<float> amplitudes(12, 50.0f);
  const auto map = map_of(x, amplitudes, kSize, 2.0, origin);
  const auto there = correlate_with_map(map, x, amplitudes, 3.0);
  EXPECT_GT(there.as_given, 0.99);
  EXPECT_LT(there.mirrored, 0.8);

  auto mirrored = x;
  for (std::size_t i = 2; i < x.size(); i += 3)
    mirrored[i] = static_cast<float>(2 * (origin[2] + middle) - x[i]);
  const auto other_hand = correlate_with_map(map, mirrored, amplitudes, 3.0);
  EXPECT_NEAR(other_hand.mirrored, there.as_given, 1e-3);
  EXPECT_NEAR(other_hand.as_given, there.mirrored, 1e-3);

  const std::vector<float> outside(36, 1000.0f);
  EXPECT_EQ(correlate_with_map(map, outside, amplitudes, 3.0).as_given, 0);
}
