/* SPDX-License-Identifier: MIT */
/*
 * Settings of the kernel, which are numbers in files of /proc/sys: proc(5).
 */
#pragma once

/* What the setting is; `otherwise` where there is none, as on a kernel without what it is about. */
unsigned int setting_read(const char *file, unsigned int otherwise);
