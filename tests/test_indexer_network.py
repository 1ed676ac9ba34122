from __future__ import annotations

import sys
from pathlib import Path

import pytest

from indexer import network
from indexer.network import eventless_file_system, network_file_system

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:40 / /home rw,relatime - nfs4 server:/home rw,vers=4.2
31 30 8:1 / /home/anna/disk rw - xfs /dev/sdb1 rw
32 22 0:41 / /mnt/share rw - cifs //server/share rw
33 22 0:42 / /mnt/sshfs rw shared:9 master:2 - fuse.sshfs anna@host: rw
34 22 0:43 / /mnt/drive rw - fuse.rclone remote: rw
35 22 0:44 / /mnt/with\040space\134here rw - smb3 //server/x rw
36 22 0:45 / /mnt/usb rw - fuseblk /dev/sdc1 rw
37 22 0:46 / /mnt/app rw - fuse.AppImage app ro
38 22 0:47 / /mnt/over rw - nfs server:/over rw
39 38 0:48 / /mnt/over rw - tmpfs tmpfs rw
40 22 0:49 / /mnt/lay rw - overlay overlay rw,lowerdir=/a - nfs
41 22 0:50 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
42 22 0:51 / /mnt/host rw - 9p host rw
43 22 0:52 / /mnt/c rw - 9p C:\134 rw,aname=drvfs;path=C:\;uid=1000,trans=fd
a line of something else
""".strip()


@pytest.fixture
def mounted(tmp_path, monkeypatch):
    def say(text):
        file = tmp_path / "mountinfo"
        file.write_text(text)
        monkeypatch.setattr(network, "_MOUNTS", file)

    say(MOUNTS)
    return say


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", None),
        ("/var/cache", None),
        ("/home", "nfs4"),
        ("/home/anna/.cache/codemoat/index", "nfs4"),
        ("/home/anna/disk/cache", None),
        ("/home/anna/disks", "nfs4"),
        ("/homes/anna", None),
        ("/mnt/share/a", "cifs"),
        ("/mnt/sshfs/a", "fuse.sshfs"),
        ("/mnt/drive", "fuse.rclone"),
        ("/mnt/with space\\here/a", "smb3"),
        ("/mnt/with", None),
        ("/mnt/usb/a", None),
        ("/mnt/app/a", None),
        ("/mnt/over/a", None),
        ("/mnt/lay/a", None),
        ("/run/user/1000/gvfs/a", "fuse.gvfsd-fuse"),
        ("/mnt/host/a", None),
        ("/mnt/c/Users", "drvfs"),
    ],
)
def test_the_longest_mount_point_decides(mounted, path, kind):
    assert network_file_system(Path(path)) == kind


def test_a_folder_of_the_host_has_locks_but_no_events(mounted):
    assert eventless_file_system(Path("/mnt/host/a")) == "9p"
    assert eventless_file_system(Path("/mnt/share/a")) == "cifs"
    assert eventless_file_system(Path("/home/anna/disk")) is None


def test_a_link_counts_where_it_leads(mounted, tmp_path):
    (tmp_path / "cache").symlink_to("/mnt/share")
    assert network_file_system(tmp_path / "cache" / "index") == "cifs"


def test_the_root_itself_may_be_on_the_network(mounted):
    mounted("22 1 0:40 / / rw - nfs server:/ rw\n")
    assert network_file_system(Path("/anything")) == "nfs"


@pytest.mark.parametrize("text", ["", "nonsense\n", "1 2 3 - nfs\n", "\0\n - \n"])
def test_what_cannot_be_read_says_nothing(mounted, text):
    mounted(text)
    assert network_file_system(Path("/home")) is None


def test_a_system_without_a_list_of_mounts_says_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(network, "_MOUNTS", tmp_path / "absent")
    assert network_file_system(Path("/home")) is None


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists its mounts there")
def test_this_machines_own_list_is_understood(tmp_path):
    assert network._type_of(b"/proc/self", Path("/proc/self/mountinfo").read_bytes()) == "proc"
