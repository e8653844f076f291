#include "cryoscape/io/npy.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "cryoscape/util/error.hpp"
#include "cryoscape/util/files.hpp"

using namespace cryoscape;
using namespace cryoscape::io;

namespace {

std::filesystem::path temporary() { return std::filesystem::path(testing::TempDir()) / "npy_test.npy"; }

/// An NPY file of any version from a header text and raw data.
std::filesystem::path handmade(int version, std::string header, const std::string& data) {
  std::string out = std::string("\x93NUMPY", 6) + static_cast<char>(version) + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(header.size() >> (8 * i) & 255);
  replace_text_file(temporary(), out + header + data);
  return temporary();
}

}  // namespace

TEST(Npy, FloatsRoundTrip) {
  const std::vector<float> values{1, -2, 3.5f, 4, 5, 6};
  write_npy(temporary(), {2, 3}, values);
  const auto m = read_npy_matrix(temporary());
  EXPECT_EQ(m.rows, 2u);
  EXPECT_EQ(m.columns, 3u);
  EXPECT_EQ(m.values, values);
  EXPECT_EQ(std::filesystem::file_size(temporary()) % 64, 24u);
}

TEST(Npy, StructuredRecordsOfEveryVersionAndHeaderLength) {
  using namespace std::string_literals;
  const auto data = "\x01\0\0\0\0\0\0\x80"s + "ab\0\0"s + "\0\0\x80\x3f\0\0\0\x40"s + "\xff\xff"s;
  for (int version : {1, 2, 3}) {
    const auto array = read_npy(handmade(version,
                                         "{'descr': [('uid', '<u8'), ('blob/path', '|S4'), ('pose', '<f4', "
                                         "(2,)), ('k', '>i2')], 'fortran_order': False, "
                                         "'shape': (1,), }" +
                                             std::string(version == 1 ? 10 : 100000, ' ') + "\n",
                                         data));
    ASSERT_EQ(array.rows(), 1u);
    EXPECT_EQ(array.unsigned_integer(*array.find("uid"), 0), 0x8000000000000001ull);
    EXPECT_EQ(array.text(*array.find("blob/path"), 0), "ab");
    EXPECT_EQ(array.number(*array.find("pose"), 0, 1), 2);
    EXPECT_EQ(array.number(*array.find("k"), 0), -1);
    EXPECT_EQ(array.find("absent"), nullptr);
  }
}

TEST(Npy, HalfPrecisionAndPython2Shapes) {
  using namespace std::string_literals;
  const auto array = read_npy(handmade(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (5L,), }\n",
                                       "\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\xfc"s));
  ASSERT_EQ(array.rows(), 5u);
  const double expected[5] = {1, -2, 65504, std::ldexp(1.0, -24), -INFINITY};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(array.number(array.fields[0], i), expected[i]);
}

TEST(Npy, RowsKeepEveryField) {
  using namespace std::string_literals;
  const auto array = read_npy(
      handmade(1, "{'descr': [('a', '<i4'), ('p', '<f4', (1,))], 'fortran_order': False, 'shape': (3,), }\n",
               "\x01\0\0\0\0\0\x80\x3f\x02\0\0\0\0\0\0\x40\x03\0\0\0\0\0\x40\x40"s));
  const std::vector<std::uint32_t> rows{2, 0};
  write_npy_rows(temporary(), array, rows);
  const auto back = read_npy(temporary());
  ASSERT_EQ(back.rows(), 2u);
  EXPECT_EQ(back.number(*back.find("a"), 0), 3);
  EXPECT_EQ(back.number(*back.find("p"), 1), 1);
}

TEST(Npy, ErrorsSayWhatIsWrong) {
  EXPECT_THROW(read_npy("/nonexistent.npy"), Error);
  replace_text_file(temporary(), "hello, this is no array");
  EXPECT_THROW(read_npy(temporary()), Error);
  EXPECT_THROW(read_npy(handmade(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (9,), }\n", "abcd")),
               Error);
  EXPECT_THROW(
      read_npy(handmade(1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }\n", "abcdefgh")),
      Error);
  EXPECT_THROW(read_npy(handmade(1, "{'descr': [('a', '<f4', 'fortran", "abcdefgh")), Error);
  EXPECT_THROW(read_npy(handmade(1, "{'descr': '<f4x', 'fortran_order': False, 'shape': (1,), }\n", "abcd")),
               Error);
  EXPECT_THROW(read_npy(handmade(7, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n", "abcd")),
               Error);
  // A product of dimensions that overflows to something small.
  EXPECT_THROW(
      read_npy(handmade(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }\n",
                        "abcd")),
      Error);
  replace_text_file(temporary(),
                    "\x94"
                    "CSDAT and then what cryoSPARC streams");
  try {
    read_npy(temporary());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("cryosparc-tools"), std::string::npos);
  }
}
