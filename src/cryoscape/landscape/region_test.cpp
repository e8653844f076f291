#include "cryoscape/landscape/region.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "cryoscape/util/test_error.hpp"

namespace cryoscape::landscape {
namespace {

const float kNan = std::numeric_limits<float>::quiet_NaN();
const ParticleTable kTable{{{"state", {1, 1, 2, 0}}, {"U", {0.5, 2, 3, kNan}}, {"pc1", {-4, -0.5, 6, kNan}}}};

std::string holds(const std::string& condition) {
  std::string out;
  for (const bool h : particles_in_region(condition, kTable)) out += h ? '1' : '0';
  return out;
}

TEST(ParticlesInRegion, Compares) {
  EXPECT_EQ(holds("U<2"), "1000");
  EXPECT_EQ(holds("U <= 2"), "1100");
  EXPECT_EQ(holds("2 < U"), "0010");
  EXPECT_EQ(holds("U >= 5e-1"), "1110");
  EXPECT_EQ(holds("state = 1"), "1100");
  EXPECT_EQ(holds("state == 2"), "0010");
  EXPECT_EQ(holds("state != 1"), "0011");
  EXPECT_EQ(holds("pc1 > -.6"), "0110");
  EXPECT_EQ(holds("U < pc1"), "0010");
}

TEST(ParticlesInRegion, ChainsAndJoins) {
  EXPECT_EQ(holds("-5 <= pc1 < 0"), "1100");
  EXPECT_EQ(holds("state=2 or U<1"), "1010");
  EXPECT_EQ(holds("U<1 or state=2 and pc1<0"), "1000");  // and binds closer
  EXPECT_EQ(holds("(U<1 or state=2) and pc1>0"), "0010");
  EXPECT_EQ(holds(" ( (U<1) ) "), "1000");
}

TEST(ParticlesInRegion, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(holds("U < 100"), "1110");
  EXPECT_EQ(holds("U != 0.5"), "0110");
}

TEST(ParticlesInRegion, SaysWhatIsWrong) {
  const auto message = [](const std::string& condition) { return error_of([&] { holds(condition); }); };
  EXPECT_NE(message("V < 2").find("there is no 'V'; particles have state, U, pc1"), std::string::npos);
  EXPECT_NE(message("U 2").find("expected a comparison: <, <=, >, >=, = or != where '2' begins"),
            std::string::npos);
  EXPECT_NE(message("U <").find("expected a name or a number at the end"), std::string::npos);
  EXPECT_NE(message("(U < 2").find("expected ')' at the end"), std::string::npos);
  EXPECT_NE(message("U < 2 pc1 > 3").find("where 'pc1 > 3' begins"), std::string::npos);
  EXPECT_NE(message("").find("at the end"), std::string::npos);
  EXPECT_NE(message("U < -x").find("expected a number"), std::string::npos);
}

}  // namespace
}  // namespace cryoscape::landscape
