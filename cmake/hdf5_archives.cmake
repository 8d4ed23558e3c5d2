# HDF5's archives beside the shared libraries that FindHDF5 found, and those that they need: for the Python module, and
# for the program where they link by themselves. Debian's shared HDF5 is linked with libcurl and thirty libraries behind
# it, for files on a cloud that nobody here reads: loading them takes half of the time in which the program starts.
# Libraries and tests take the shared one.

set(gihflow_hdf5_directory "")
if(HDF5_C_LIBRARY_hdf5) # unset where HDF5's own package was found
  cmake_path(GET HDF5_C_LIBRARY_hdf5 PARENT_PATH gihflow_hdf5_directory)
endif()
find_library(GIHFLOW_HDF5_ARCHIVE libhdf5.a HINTS ${gihflow_hdf5_directory})
find_library(GIHFLOW_HDF5_HL_ARCHIVE libhdf5_hl.a HINTS ${gihflow_hdf5_directory})
find_library(GIHFLOW_SZIP_ARCHIVE libsz.a)
find_library(GIHFLOW_AEC_ARCHIVE libaec.a)
find_library(GIHFLOW_ZLIB_ARCHIVE libz.a)
set(gihflow_hdf5_archives)
foreach(archive IN ITEMS HDF5_HL HDF5 SZIP AEC ZLIB)
  if(GIHFLOW_${archive}_ARCHIVE)
    list(APPEND gihflow_hdf5_archives ${GIHFLOW_${archive}_ARCHIVE})
  endif()
endforeach()

include(CheckCSourceCompiles)
include(CMakePushCheckState)
cmake_push_check_state(RESET)
set(CMAKE_REQUIRED_INCLUDES ${HDF5_INCLUDE_DIRS})
set(CMAKE_REQUIRED_LIBRARIES ${gihflow_hdf5_archives} ${CMAKE_DL_LIBS} m)
check_c_source_compiles("
  #include <hdf5.h>
  #include <hdf5_hl.h>
  int main(void) { return H5open() < 0 || H5DSset_scale(0, \"\") < 0; }" GIHFLOW_HDF5_ARCHIVES_LINK)
cmake_pop_check_state()

add_library(gihflow_shared_hdf5 INTERFACE)
target_link_libraries(gihflow_shared_hdf5 INTERFACE hdf5::hdf5_hl hdf5::hdf5)
add_library(gihflow_own_hdf5 INTERFACE)
if(GIHFLOW_HDF5_ARCHIVES_LINK)
  target_link_libraries(gihflow_own_hdf5 INTERFACE ${gihflow_hdf5_archives} ${CMAKE_DL_LIBS} m)
else()
  target_link_libraries(gihflow_own_hdf5 INTERFACE gihflow_shared_hdf5)
endif()
