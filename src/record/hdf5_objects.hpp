#pragma once

#include <functional>
#include <string>
#include <vector>

#include "record/handle.hpp"
#include "record/image.hpp"

namespace gihflow::hdf5 {

inline constexpr std::size_t most_entries = std::size_t{1} << 16;  ///< of an attribute, of texts

/// An HDF5 type in words, without its byte order: "int64", "float32", "texts",
/// "an enum of int8 (FALSE = 0, TRUE = 1)", "lists of references".
std::string type_words(hid_t type);

/// Whether equal bytes are equal values: the type has no references and no pointers.
bool is_plain(hid_t type);

Shape shape_of(hid_t space);

/// "[1,3]": the indices of an array's entries, from 1, in row-major order.
std::vector<std::string> places(const Shape& shape);

/// The first filter of a dataset that this HDF5 does not have, in words; empty if it has all.
std::string missing_filter(hid_t creation);

bool is_chunked(hid_t creation);

/// Bytes of all chunks that contain one row of the first axis. Parts are read row by row, so with a
/// smaller cache each chunk would be decompressed once for every part that it overlaps.
double bytes_of_chunk_row(hid_t creation, const Shape& shape, std::size_t entry_bytes);

/// Whether all values were written; HDF5 would fill in the others, up to any declared shape. Counts
/// chunks, since compressed data may be small. The shape must fit in memory.
bool is_stored(hid_t dataset, const Shape& shape);

/// Reads texts of variable length by `read`, which gets the type in memory.
std::vector<std::string> read_texts(hid_t type, hid_t space, std::size_t entries,
                                    const std::function<herr_t(hid_t memory, void* texts)>& read);

}  // namespace gihflow::hdf5
