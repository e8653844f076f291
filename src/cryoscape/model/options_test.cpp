#include "cryoscape/model/options.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "cryoscape/util/error.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

TEST(ModelOptions, DefaultsAreValidAndWrongValuesAreNamed) {
  struct Case {
    std::string option;
    std::function<void(ModelOptions&)> change;
  };
  const std::vector<Case> cases{{"encoder", [](auto& o) { o.encoder = "transformer"; }},
                                {"encoder-input", [](auto& o) { o.encoder_input = "map"; }},
                                {"decoder", [](auto& o) { o.decoder = "segments"; }},
                                {"latent-dim", [](auto& o) { o.latent_dim = 0; }},
                                {"latent-dim", [](auto& o) { o.latent_dim = 257; }},
                                {"likelihood", [](auto& o) { o.likelihood = "poisson"; }},
                                {"bead-sigma", [](auto& o) { o.bead_sigma = 0.1; }},
                                {"prior", [](auto& o) { o.prior.kind = "flat"; }}};
  {
    ModelOptions options;
    OptionSet set;
    options.declare(set);
    EXPECT_NO_THROW(set.validate());
  }
  for (const auto& c : cases) {
    ModelOptions options;
    OptionSet set;
    options.declare(set);
    c.change(options);
    try {
      set.validate();
      ADD_FAILURE() << c.option;
    } catch (const UsageError& error) {
      EXPECT_NE(std::string(error.what()).find("--" + c.option), std::string::npos) << error.what();
    }
  }
}
