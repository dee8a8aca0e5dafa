/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `fdbroker run` have in common.
 */
#pragma once

/* Tells a supervised program that it is one. */
#define RUN_VARIABLE "FDBROKER_RUN"
