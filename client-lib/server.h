/* SPDX-License-Identifier: MIT */
/*
 * Who is at the other end of a connection.
 */
#pragma once

/* 0 if that may be the broker. Else -1 and errno: EPERM, or that of getsockopt(2). */
int server_check(int fd);
