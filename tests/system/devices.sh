# shellcheck shell=bash
# tun and tap devices.

NO_PI=1 PERSIST=4 UP=8

devices_policy() {
	grep -q '\btun$' /proc/misc || skip "this kernel has no tun devices"
	mkdir /dev/net
	mknod -m 0666 /dev/net/tun c 10 200
	policy <<-END
		client vpn {
			from user alice
			allow socket tun:vpn0 tap:vm0
		}
		client any {
			from user bob
			allow socket tun:*
		}
		client late {
			from user carol
			allow socket tun:vpn9
		}
	END
	start_broker
}

test_a_tun_device_is_made_and_gone_with_its_descriptor() {
	devices_policy
	open_session vpn alice
	expect_equal "$(tell vpn "tun tun:vpn0 $NO_PI")" ok
	expect_match "$(ip -d link show vpn0)" 'tun type tun pi off .*user root' "the device"
	expect_equal "$(tell vpn close)" ok
	eventually 5 is_gone vpn0 || fail "it is still there"
	expect_log 'audit: allowed .*verb=socket object="tun:vpn0"'
}

is_gone() {
	! ip link show "$1" >/dev/null 2>&1
}

test_a_tap_device_can_be_up_at_once_and_stay() {
	devices_policy
	expect_equal "$(as alice ask "tun tap:vm0 $((NO_PI | PERSIST | UP))" flags)" \
		$'ok\nok O_RDWR'
	expect_match "$(ip -d link show vm0)" 'UP.*tun type tap pi off .*persist on user root'
	# And it is attached to, again and again.
	expect_equal "$(as alice ask "tun tap:vm0 $NO_PI" "tun tap:vm0 $NO_PI")" \
		$'ok\nEBUSY kernel'
	ip link show vm0 >/dev/null || fail "it is gone"
}

test_a_device_of_the_other_kind_is_not_attached_to() {
	devices_policy
	ip tuntap add vpn0 mode tap
	expect_equal "$(as alice ask "tun tun:vpn0")" "EINVAL kernel"
}

# An alternative name, ip-link(8): the device's own was not judged.
test_a_device_is_not_attached_to_by_another_name() {
	devices_policy
	ip tuntap add secret0 mode tun
	ip link property add dev secret0 altname vpn0
	expect_equal "$(as alice ask "tun tun:vpn0" "tun tun:secret0")" $'EINVAL kernel\nEACCES policy'
}

# The administrator's word counts.
test_a_device_that_was_there_keeps_its_owner() {
	devices_policy
	ip tuntap add vpn0 mode tun user bob
	expect_equal "$(as alice ask "tun tun:vpn0")" ok
	expect_match "$(ip -d link show vpn0)" 'user bob'
}

test_nobody_else_attaches_to_what_was_made() {
	devices_policy
	expect_equal "$(as alice ask "tun tun:vpn0 $PERSIST")" ok
	expect_match "$(as carol python3 -c '
import fcntl, struct
f = open("/dev/net/tun", "r+b", buffering=0)
fcntl.ioctl(f, 0x400454ca, struct.pack("16sH22x", b"vpn0", 1))' 2>&1)" 'not permitted'
}

test_names_are_as_the_rules_have_them() {
	devices_policy
	expect_equal "$(as alice ask "tun tun:vpn1" "tun tap:vpn0" "tun tun:" "tun tun:vpn%d")" \
		$'EACCES policy\nEACCES policy\nEACCES policy\nEINVAL socket'
	expect_equal "$(as bob ask "tun tun:anything" "tun tun:" "tun tun:vpn%d")" \
		$'ok\nok\nEINVAL socket'
	expect_log 'audit: denied .*verb=socket object="tun:vpn1"'
}

test_a_file_that_is_not_the_clone_device_is_not_opened() {
	devices_policy
	rm /dev/net/tun
	expect_equal "$(as alice ask "tun tun:vpn0")" "ENOENT kernel"
	mknod -m 0666 /dev/net/tun c 1 3
	expect_equal "$(as alice ask "tun tun:vpn0")" "ENODEV kernel"
	rm /dev/net/tun
	mknod -m 0666 /dev/net/tun c 10 229 # fuse
	expect_equal "$(as alice ask "tun tun:vpn0")" "ENODEV kernel"
	rm /dev/net/tun
	mknod -m 0666 /dev/net/tun b 10 200
	expect_equal "$(as alice ask "tun tun:vpn0")" "ENODEV kernel"
}
