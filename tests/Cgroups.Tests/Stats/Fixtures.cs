namespace Isolation.Cgroups.Tests.Stats;

/// <summary>Files as kernels wrote them.</summary>
internal static class Fixtures
{
    /// <summary>Linux 6.18, v1, a group with a group beneath it.</summary>
    internal const string V1MemoryStat = """
        cache 9338880
        rss 4698112
        rss_huge 0
        shmem 9166848
        mapped_file 7749632
        dirty 4096
        writeback 0
        workingset_refault_anon 0
        workingset_refault_file 635
        swap 0
        swapcached 0
        pgpgin 44201
        pgpgout 40774
        pgfault 63723
        pgmajfault 0
        inactive_anon 0
        active_anon 1531904
        inactive_file 4096
        active_file 167936
        unevictable 12333056
        hierarchical_memory_limit 9223372036854771712
        hierarchical_memsw_limit 9223372036854771712
        total_cache 435777536
        total_rss 140029952
        total_rss_huge 0
        total_shmem 78163968
        total_mapped_file 131026944
        total_dirty 368640
        total_writeback 0
        total_workingset_refault_anon 0
        total_workingset_refault_file 1114782
        total_swap 8192
        total_swapcached 0
        total_pgpgin 104670718
        total_pgpgout 104539928
        total_pgfault 128999970
        total_pgmajfault 9237
        total_inactive_anon 197443584
        total_active_anon 8261632
        total_inactive_file 102391808
        total_active_file 255221760
        total_unevictable 12333056

        """;

    /// <summary>The form of Linux 6.1, v2, cut short in the middle.</summary>
    internal const string V2MemoryStat = """
        anon 1531904
        file 9338880
        kernel 1343488
        kernel_stack 49152
        pagetables 131072
        sec_pagetables 0
        percpu 0
        sock 0
        vmalloc 0
        shmem 16384
        zswap 0
        zswapped 0
        file_mapped 7749632
        inactive_anon 1523712
        active_anon 12288
        inactive_file 4096
        active_file 167936
        workingset_refault_anon 0
        pgfault 63723
        pgmajfault 17
        thp_fault_alloc 0

        """;

    internal const string V1BlkioBytes = """
        254:0 Read 1459200
        254:0 Write 314773504
        254:0 Sync 316232704
        254:0 Async 0
        254:0 Discard 4096
        254:0 Total 316236800
        8:16 Read 0
        8:16 Write 512
        8:16 Sync 512
        8:16 Async 0
        8:16 Discard 0
        8:16 Total 512
        Total 316237312

        """;

    internal const string V1BlkioOperations = """
        254:0 Read 192
        254:0 Write 353
        254:0 Sync 545
        254:0 Async 0
        254:0 Discard 1
        254:0 Total 546
        8:16 Read 0
        8:16 Write 1
        8:16 Sync 1
        8:16 Async 0
        8:16 Discard 0
        8:16 Total 1
        Total 547

        """;

    internal const string V2IoStat = """
        8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=50331648 dios=3
        253:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=0 dios=0 cost.usage=9 use_delay=1

        """;

    internal const string Pressure = """
        some avg10=97.12 avg60=96.65 avg300=3.09 total=9944324879
        full avg10=0.00 avg60=100.00 avg300=0.05 total=0

        """;

    internal const string V2CpuStat = """
        usage_usec 26905848001
        user_usec 16450652000
        system_usec 10455196000
        nice_usec 128000
        core_sched.force_idle_usec 0
        nr_periods 12
        nr_throttled 3
        throttled_usec 4567
        nr_bursts 2
        burst_usec 89

        """;
}
