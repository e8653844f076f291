#include "cryoscape/report/markup.hpp"

#include <gtest/gtest.h>

#include <cmath>

using namespace cryoscape::report;

TEST(Markup, EscapesWhatHtmlReads) {
  EXPECT_EQ(escape("<x>&\"'é\n"), "&lt;x&gt;&amp;&quot;&#39;é\n");
  EXPECT_EQ(escape(std::string("a\x01\x7f\x1b") + "b"), "a\uFFFD\uFFFD\uFFFDb");
}

TEST(Markup, LinksStayInTheFolder) {
  EXPECT_EQ(relative_link("structures/states/state_01.cif"), "structures/states/state_01.cif");
  EXPECT_EQ(relative_link("javascript:alert(1)"), "javascript%3Aalert%281%29");
  EXPECT_EQ(relative_link("//host/a b"), "host/a%20b");
  EXPECT_EQ(data_uri("image/svg+xml", "<a>"), "data:image/svg+xml;charset=utf-8,%3Ca%3E");
}

TEST(Markup, ErrorsSetTheDigits) {
  EXPECT_EQ(with_error(61.234, 1.52), "61.2 ± 1.5");
  EXPECT_EQ(with_error(-1234.5678, 0.0312), "−1234.568 ± 0.031");
  EXPECT_EQ(with_error(1234.4, 250), "1234 ± 250");
  EXPECT_EQ(with_error(0.5, NAN, 3), "0.5");
  EXPECT_EQ(with_error(NAN, 1), "–");
}

TEST(Markup, CountsAreGrouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1234567), "1\u202F234\u202F567");
  EXPECT_EQ(grouped(-1000), "−1\u202F000");
}
