# Headers, libraries, and the two ways of finding them: pkg-config and find_package(lstmae). All paths in the installed
# files are relative to those files, so the whole tree may be moved.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/lstmae DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
set(LAE_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/lstmae)

# One export per library: who uses the shared one does not need what the static one links to.
install(TARGETS lstmae_static EXPORT lstmae-static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT lstmae-static NAMESPACE lstmae:: FILE lstmae-static.cmake DESTINATION ${LAE_CONFIG_DIR})
if(LSTMAE_SHARED)
  install(TARGETS lstmae EXPORT lstmae-shared
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT lstmae-shared NAMESPACE lstmae:: FILE lstmae-shared.cmake DESTINATION ${LAE_CONFIG_DIR})
endif()

configure_package_config_file(pkgconfig/lstmaeConfig.cmake.in ${PROJECT_BINARY_DIR}/lstmaeConfig.cmake
  INSTALL_DESTINATION ${LAE_CONFIG_DIR} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lstmaeConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lstmaeConfig.cmake ${PROJECT_BINARY_DIR}/lstmaeConfigVersion.cmake
  DESTINATION ${LAE_CONFIG_DIR})

# lstmae.pc: the prefix is found from where the file lies.
set(LAE_PC_DIR ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH LAE_PC_PREFIX ${LAE_PC_DIR} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" LAE_PC_PREFIX ${LAE_PC_PREFIX})
file(RELATIVE_PATH LAE_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH LAE_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(LAE_PC_PRIVATE "")
foreach(name ${LAE_LINK_NAMES})
  if(name MATCHES "^-")
    list(APPEND LAE_PC_PRIVATE ${name})
  else()
    list(APPEND LAE_PC_PRIVATE -l${name})
  endif()
endforeach()
list(JOIN LAE_PC_PRIVATE " " LAE_PC_PRIVATE)
set(LAE_PC_LIBS "-llstmae")
if(NOT LSTMAE_SHARED) # the archive alone: every program needs what it links to
  string(APPEND LAE_PC_LIBS " ${LAE_PC_PRIVATE}")
endif()
configure_file(pkgconfig/lstmae.pc.in ${PROJECT_BINARY_DIR}/lstmae.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/lstmae.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
