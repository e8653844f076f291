#pragma once
#include <string>
#include <string_view>

namespace cryoscape::report {

/// Text made safe for HTML and SVG, inside elements and quoted attributes: & < > " ' are escaped, control
/// characters other than tab and newline become U+FFFD.
std::string escape(std::string_view text);

/// A path without the slashes at its start, which would point outside the page's folder.
std::string relative_path(std::string_view path);

/// relative_path as the value of href: every byte but letters, digits and - . _ ~ / is percent-encoded, so
/// that no value can name a scheme or leave the attribute.
std::string relative_link(std::string_view path);

/// Text as a data URI of the given media type.
std::string data_uri(std::string_view media_type, std::string_view text);

/// A value with its error in plain text, rounded to two digits of the error: "61.2 ± 1.5"; without a usable
/// error the value alone to `digits` significant digits, and "–" for a value that is not finite.
std::string with_error(double value, double error, int digits = 4);

/// A count with thin spaces between groups of three digits.
std::string grouped(long long count);

}  // namespace cryoscape::report
