/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of a connection.
 */
#pragma once

/*
 * 0 if that may be the broker. Else -1 and errno: EPERM if it is somebody else; or why nobody can
 * tell, that of getsockopt(2) or getpwnam_r(3), where EACCES stands for an EPERM of the latter.
 */
int server_check(int fd);
