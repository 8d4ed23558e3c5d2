#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "gihflow/base/text.hpp"
#include "gihflow/record/data_hash.hpp"
#include "record/hdf5_objects.hpp"
#include "record/input_reader.hpp"

// InputReader::objects() and its parts, for the comparison of files.

namespace gihflow::hdf5 {

namespace {

constexpr std::size_t largest_values = std::size_t{1} << 29;  // bytes

std::string hash_of(const std::string& bytes) {
  return fmt::format("hash {:016x}", fnv1a(std::as_bytes(std::span<const char>(bytes))));
}

// Text that can be printed: malformed text is replaced by its hash.
std::string plain(const std::string& words) {
  return is_plain_utf8(words) ? words : hash_of(words);
}

// The bytes of values of a type with is_plain, if they are not too many.
std::optional<std::string> plain_bytes(hid_t type, std::size_t entries,
                                       const std::function<herr_t(void*)>& read) {
  const std::size_t size = H5Tget_size(type);
  if (!is_plain(type) || size == 0 || entries > largest_values / size) return std::nullopt;
  std::string bytes(entries * size, '\0');
  if (entries > 0) check(read(bytes.data()), "its values");
  return bytes;
}

bool is_number(hid_t type) {
  const H5T_class_t found = H5Tget_class(type);
  return found == H5T_INTEGER || found == H5T_ENUM ||
         (found == H5T_FLOAT && H5Tget_size(type) <= sizeof(double));
}

// The type of a dataset and, where it is neither numbers nor texts, a hash of its values.
std::string dataset_words(hid_t dataset) {
  const Handle type(H5Dget_type(dataset), H5Tclose, "its type");
  const std::string words = type_words(type);
  if (is_number(type) || words == "texts") return words;
  const Handle space(H5Dget_space(dataset), H5Sclose, "its shape");
  const Handle creation(H5Dget_create_plist(dataset), H5Pclose, "its properties");
  const auto entries =
      static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space), "shape"));
  const bool readable = H5Pget_layout(creation) != H5D_VIRTUAL &&
                        H5Pget_external_count(creation) == 0 && missing_filter(creation).empty();
  std::optional<std::string> bytes;
  if (readable && (entries == 0 || is_stored(dataset, shape_of(space)))) {
    bytes = plain_bytes(type, entries, [&](void* values) {
      return H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    });
  }
  return fmt::format("{}, {}, {}", words, to_string(shape_of(space)),
                     bytes ? hash_of(*bytes) : not_compared);
}

}  // namespace

// Numbers and texts in full; a hash for other plain types.
std::string InputReader::attribute_text(hid_t attribute, hid_t type) {
  const Handle space(H5Aget_space(attribute), H5Sclose, "its shape");
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return "(no value)";
  const auto entries =
      static_cast<std::size_t>(check(H5Sget_simple_extent_npoints(space), "shape"));
  if (entries > most_entries) return not_compared;
  const auto read = [&](auto value, hid_t native) {
    std::vector<decltype(value)> values(entries);
    if (entries > 0) check(H5Aread(attribute, native, values.data()), "its values");
    return fmt::format("{}", fmt::join(values, ", "));  // digits that round-trip
  };
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE ? read(std::uint64_t{}, H5T_NATIVE_UINT64)
                                               : read(std::int64_t{}, H5T_NATIVE_INT64);
    case H5T_ENUM:
      return read(std::int64_t{}, H5T_NATIVE_INT64);
    case H5T_FLOAT:
      if (H5Tget_size(type) <= sizeof(double)) return read(double{}, H5T_NATIVE_DOUBLE);
      break;
    case H5T_STRING:
      if (H5Tis_variable_str(type) > 0) {
        const auto texts = read_texts(type, space, entries, [&](hid_t memory, void* values) {
          return H5Aread(attribute, memory, values);
        });
        return entries == 1 ? texts.front() : fmt::format("\"{}\"", fmt::join(texts, "\", \""));
      }
      break;
    default:
      break;
  }
  auto bytes =
      plain_bytes(type, entries, [&](void* values) { return H5Aread(attribute, type, values); });
  if (!bytes) return not_compared;
  if (H5Tget_class(type) != H5T_STRING || entries != 1) return hash_of(*bytes);
  return bytes->erase(bytes->find_last_not_of('\0') + 1);
}

std::vector<std::string> InputReader::description(const std::string& object) {
  std::vector<std::string> words{object, "group", ""};
  const Handle opened(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose, "opening it");
  if (H5Iget_type(opened) == H5I_DATASET) {
    words[1] = "dataset";
    words[2] = dataset_words(opened);
  } else if (H5Iget_type(opened) == H5I_DATATYPE) {
    words[1] = "type";
    words[2] = type_words(opened);
  }
  std::vector<std::string> names;
  const auto add = [](hid_t, const char* name, const H5A_info_t*, void* list) -> herr_t {
    auto& all = *static_cast<std::vector<std::string>*>(list);
    all.emplace_back(name);
    return all.size() > most_entries ? -1 : 0;
  };
  check(H5Aiterate2(opened, H5_INDEX_NAME, H5_ITER_INC, nullptr, add, &names), "its attributes");
  for (const std::string& name : names) {
    const Handle attribute(H5Aopen(opened, name.c_str(), H5P_DEFAULT), H5Aclose, "opening it");
    const Handle type(H5Aget_type(attribute), H5Tclose, "its type");
    const Handle space(H5Aget_space(attribute), H5Sclose, "its shape");
    words.push_back(name);
    words.push_back(fmt::format("{}, {}", type_words(type), to_string(shape_of(space))));
    words.push_back(attribute_text(attribute, type));
  }
  return words;
}

std::optional<std::vector<std::vector<std::string>>> InputReader::objects() try {
  using List = std::vector<std::vector<std::string>>;
  List found{{"/"}};
  const auto add = [](hid_t group, const char* name, const H5L_info_t* link, void* list) -> herr_t {
    auto& all = *static_cast<List*>(list);
    std::vector<std::string> words{"/" + std::string(name)};
    if (link->type != H5L_TYPE_HARD) {
      std::string target(link->u.val_size, '\0');
      if (H5Lget_val(group, name, target.data(), target.size(), H5P_DEFAULT) < 0) return -1;
      // The path, or file and path of an external link, each ending in a zero byte.
      std::replace(target.begin(), target.end(), '\0', ' ');
      target.erase(target.find_last_not_of(' ') + 1).erase(0, target.find_first_not_of(' '));
      words.insert(words.end(), {"link", target});
    }
    all.push_back(std::move(words));
    return all.size() > most_entries ? -1 : 0;
  };
  check(H5Lvisit(file_, H5_INDEX_NAME, H5_ITER_INC, add, &found), "its objects");
  for (std::vector<std::string>& words : found) {
    if (!is_plain_utf8(words.front())) {
      fault("must have names in UTF-8 without control characters");
      return std::nullopt;
    }
    if (words.size() == 1) words = description(words.front());
    std::transform(words.begin(), words.end(), words.begin(), plain);
  }
  return found;
} catch (const Error& failure) {
  fault(fmt::format("cannot be listed ({})", failure.what()));
  return std::nullopt;
}

}  // namespace gihflow::hdf5
