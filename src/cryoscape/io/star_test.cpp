#include "cryoscape/io/star.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;
using namespace cryoscape::io;

namespace {

std::filesystem::path file(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "star_test.star";
  replace_text_file(path, text);
  return path;
}

std::string error_of(const std::string& text) {
  try {
    read_star_tables(file(text));
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST(ReadStar, LoopsListsQuotesCommentsAndCarriageReturns) {
  const auto tables =
      read_star_tables(file("# version 30001\r\n\r\ndata_optics\r\n\r\nloop_ \r\n_rlnOpticsGroup #1 "
                            "\r\n_rlnOpticsGroupName #2\r\n 1 \"two words\" \r\n\r\n"
                            "data_particles\n\nloop_\n_rlnImageName\n_rlnDefocusU\n1@a.mrcs\t1.5\n# a "
                            "comment\n2@it's.mrcs 2 # trailing\n\n"
                            "data_job\n_rlnJobType 9\n_rlnJobName 'a b'\n\ndata_empty\nloop_\n_rlnX #1\n"));
  ASSERT_EQ(tables.size(), 4u);
  EXPECT_EQ(tables[0].table.name, "optics");
  EXPECT_EQ(tables[0].rows[0][1], "two words");
  EXPECT_EQ(tables[1].rows.size(), 2u);
  EXPECT_EQ(tables[1].rows[1][0], "2@it's.mrcs");
  EXPECT_EQ(tables[1].table.column("rlnDefocusU"), 1);
  EXPECT_EQ(tables[1].table.column("rlnDefocusV"), -1);
  EXPECT_TRUE(tables[2].table.is_list);
  EXPECT_EQ(tables[2].rows[0][1], "a b");
  EXPECT_TRUE(tables[3].rows.empty());
}

TEST(ReadStar, ErrorsNameTheLine) {
  EXPECT_NE(
      error_of("data_\nloop_\n_a\n_b\n1 2\n3\n").find("star_test.star:6: 1 values in a table of 2 columns"),
      std::string::npos);
  EXPECT_NE(error_of("hello world\n").find("not a STAR file"), std::string::npos);
  EXPECT_NE(error_of("").find("not a STAR file"), std::string::npos);
  EXPECT_NE(error_of("data_x\n1 2\n").find(":2: a row outside"), std::string::npos);
  EXPECT_THROW(read_star_tables("/nonexistent.star"), Error);
}

TEST(ReadStar, ByteOrderMarkAndOneRowPerLineOfAnyLength) {
  const std::string name(100000, 'x');
  const auto tables =
      read_star_tables(file("\xEF\xBB\xBF"
                            "data_a\nloop_\n_b\n" +
                            name + "\n"));
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0].rows[0][0], name);
}

TEST(WriteStar, ListsReadBackAsLists) {
  std::ostringstream out;
  const std::vector<std::string_view> values{"9", "two words", "a \"quoted\" word", ""};
  write_star_list(out, {"job", {"rlnJobType", "rlnJobName", "rlnNote", "rlnNone"}, true}, values);
  const auto tables = read_star_tables(file(out.str()));
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_TRUE(tables[0].table.is_list);
  EXPECT_EQ(tables[0].table.columns.size(), 4u);
  EXPECT_EQ(tables[0].rows[0], (std::vector<std::string>{"9", "two words", "a \"quoted\" word", ""}));
}

TEST(WriteStar, ReadsBack) {
  std::ostringstream out;
  write_star_head(out, {"particles", {"rlnImageName", "rlnMicrographName"}, false});
  const std::vector<std::string_view> row{"1@a b.mrcs", ""};
  write_star_row(out, row);
  const auto tables = read_star_tables(file(out.str()));
  EXPECT_EQ(tables.at(0).rows.at(0), (std::vector<std::string>{"1@a b.mrcs", ""}));
}
