#include "cryoscape/report/held_out.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace cryoscape::report;

namespace {

HeldOut held_out(std::map<std::uint32_t, double> bound) {
  return {"particles.star", "box 64", {}, std::move(bound)};
}

}  // namespace

TEST(BoundDifference, IsPairedOverCommonRows) {
  // Common rows 3, 5, 9 with differences 1, 2, 3; the others would change an unpaired mean beyond
  // recognition.
  const auto first = held_out({{1, -900}, {3, -100}, {5, 50}, {9, 7}});
  const auto other = held_out({{3, -99}, {5, 52}, {9, 10}, {12, 4000}});
  const auto d = bound_difference(first, other);
  EXPECT_EQ(d.particles, 3u);
  EXPECT_DOUBLE_EQ(*d.mean, 2);
  EXPECT_NEAR(*d.standard_error, std::sqrt(1.0 / 3), 1e-12);
  EXPECT_TRUE(d.note.empty());
  EXPECT_DOUBLE_EQ(*bound_difference(other, first).mean, -2);
}

TEST(BoundDifference, OfARunToItselfIsZero) {
  const auto first = held_out({{1, -900}, {3, -100}});
  const auto d = bound_difference(first, first);
  EXPECT_EQ(*d.mean, 0);
  EXPECT_EQ(*d.standard_error, 0);
}

TEST(BoundDifference, NeedsCommonRows) {
  const auto d = bound_difference(held_out({{1, 2}}), held_out({{2, 2}}));
  EXPECT_FALSE(d.mean);
  EXPECT_FALSE(d.standard_error);
  EXPECT_NE(d.note.find("held out by both"), std::string::npos);
}

TEST(BoundDifference, OneCommonRowHasNoError) {
  const auto d = bound_difference(held_out({{1, 2}}), held_out({{1, 5}}));
  EXPECT_EQ(*d.mean, 3);
  EXPECT_FALSE(d.standard_error);
}

TEST(BoundDifference, OtherParticlesOrImagesDoNotCompare) {
  const auto first = held_out({{1, 2}, {2, 3}});
  auto other = first;
  other.particles = "others.star";
  EXPECT_FALSE(bound_difference(first, other).mean);
  EXPECT_NE(bound_difference(first, other).note.find("others.star"), std::string::npos);
  other = first;
  other.images = "box 128";
  EXPECT_FALSE(bound_difference(first, other).mean);
  EXPECT_NE(bound_difference(first, other).note.find("box 128"), std::string::npos);
}
