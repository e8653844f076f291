#include "cryoscape/util/options.hpp"

#include <gtest/gtest.h>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;

namespace {

struct Settings {
  bool invert = false;
  int box = 64;
  double snr = 0.05;
  std::string prior = "gaussian";
  std::vector<double> defocus{1.0, 2.0};
  std::optional<double> diameter;

  void declare(OptionSet& set) {
    set.add("invert", &invert, "flip the contrast");
    set.add("box", &box, "box side in pixels").minimum = 16;
    set.add("snr", &snr, "signal to noise");
    set.add("prior", &prior, "latent prior").choices = {"gaussian", "rbm"};
    set.add("defocus", &defocus, "range in um");
    set.add("diameter", &diameter, "particle diameter in A");
  }
};

std::filesystem::path write_temporary(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "options_test.toml";
  replace_text_file(path, text);
  return path;
}

}  // namespace

TEST(OptionSet, TomlRoundTrip) {
  Settings a;
  a.invert = true, a.box = 96, a.snr = 1e-3, a.prior = "rbm", a.defocus = {0.5, 3}, a.diameter = 120;
  OptionSet out;
  a.declare(out);
  const auto file = write_temporary(out.to_toml());
  Settings b;
  OptionSet in;
  b.declare(in);
  in.read_toml(file);
  EXPECT_EQ(b.invert, a.invert);
  EXPECT_EQ(b.box, a.box);
  EXPECT_EQ(b.snr, a.snr);
  EXPECT_EQ(b.prior, a.prior);
  EXPECT_EQ(b.defocus, a.defocus);
  EXPECT_EQ(b.diameter, a.diameter);
}

TEST(OptionSet, CommandLineWinsOverFile) {
  Settings s;
  OptionSet set;
  s.declare(set);
  s.box = 128;
  set.find("box")->given = true;
  set.read_toml(write_temporary("box = 32\nsnr = 1\n"));
  EXPECT_EQ(s.box, 128);
  EXPECT_EQ(s.snr, 1.0);
}

TEST(OptionSet, ErrorsNameFileAndLine) {
  Settings s;
  OptionSet set;
  s.declare(set);
  try {
    set.read_toml(write_temporary("box = 32\nnosuch = 1\n"));
    FAIL();
  } catch (const UsageError& e) {
    EXPECT_NE(std::string(e.what()).find("options_test.toml:2: unknown option 'nosuch'"), std::string::npos)
        << e.what();
  }
  EXPECT_THROW(set.read_toml(write_temporary("snr = \"high\"\n")), UsageError);
  EXPECT_THROW(set.read_toml(write_temporary("box = = 1\n")), UsageError);
}

TEST(OptionSet, ValidatesChoicesAndBounds) {
  Settings s;
  OptionSet set;
  s.declare(set);
  set.validate();
  s.prior = "typo";
  EXPECT_THROW(set.validate(), UsageError);
  s.prior = "rbm";
  s.box = 4;
  EXPECT_THROW(set.validate(), UsageError);
}
