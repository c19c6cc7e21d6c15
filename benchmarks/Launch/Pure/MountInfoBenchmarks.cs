using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;

namespace Isolation.Benchmarks;

/// <summary>Parsing the mount table of a small machine, and of one with many containers.</summary>
public class MountInfoBenchmarks
{
    private string _small = null!;
    private string _large = null!;

    [GlobalSetup]
    public void SetUp() => (_small, _large) = (Table(30), Table(1000));

    [Benchmark]
    public int Mounts30() => MountInfo.Visible(_small, _ => true).Length;

    [Benchmark]
    public int Mounts1000() => MountInfo.Visible(_large, _ => true).Length;

    private static string Table(int mounts)
    {
        StringBuilder text = new("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw\n");
        for (int i = 1; i < mounts; i++)
            text.AppendLine(CultureInfo.InvariantCulture, $"{22 + i} 22 0:{i} / /var/lib/containers/{i % 50}/mount\\040point-{i} rw,nosuid,relatime shared:{i} - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d");
        return text.ToString();
    }
}
