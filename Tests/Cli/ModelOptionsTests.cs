using System.CommandLine;
using Quilt.Cli;
using Quilt.Runtime;

namespace Quilt.Tests.Cli;

/// <summary>What the command line says is what the engine is told.</summary>
public sealed class ModelOptionsTests
{
    [Test]
    public void What_is_not_said_is_the_engine_s_own_choice() => Assert.That(Read(), Is.EqualTo(new EngineOptions()));

    [Test]
    public void Sizes_reach_the_engine()
    {
        var options = Read("--kv-memory", "1.5", "--max-batched-tokens", "256", "--max-sequences", "4");
        Assert.That(options, Is.EqualTo(new EngineOptions { KvMemory = 3L << 29, MaxBatchedTokens = 256, MaxSequences = 4 }));
    }

    [Test]
    public void Tiers_reach_the_engine()
    {
        var options = Read("--kv-offloading-size", "1.5", "--kv-disk", "/var/cache/quilt", "--kv-disk-size", "2", "--kv-remote", "redis://cache:1/2");
        Assert.That(options.KvRemote, Is.Not.Null);
        Assert.That(options with { KvRemote = null },
            Is.EqualTo(new EngineOptions { KvHostMemory = 3L << 29, KvDisk = "/var/cache/quilt", KvDiskSize = 2L << 30 }));
    }

    [TestCase("--kv-offloading-size: expected more than 0", "--kv-offloading-size", "0")]
    [TestCase("--kv-disk-size: expected --kv-disk", "--kv-disk-size", "2")]
    [TestCase("--kv-remote: expected redis://", "--kv-remote", "http://cache")]
    [TestCase("--kv-remote: expected redis://", "--kv-remote", "redis://cache/first")]
    public void A_tier_that_cannot_be_is_refused(string complaint, params string[] arguments) =>
        Assert.That(() => Read(arguments), Throws.InstanceOf<UsageException>().With.Message.Contains(complaint));

    [TestCase("0")]
    [TestCase("-1")]
    [TestCase("1e300")]
    [TestCase("1e-12")]
    public void A_memory_that_cannot_be_is_refused(string gib) =>
        Assert.That(() => Read("--kv-memory", gib), Throws.InstanceOf<UsageException>().With.Message.Contains("--kv-memory: expected more than 0"));

    private static EngineOptions Read(params string[] arguments)
    {
        var command = new Command("verb");
        var options = new ModelOptions().AddTo(command);
        var parsed = command.Parse(arguments);
        Assert.That(parsed.Errors, Is.Empty);
        return options.Read(parsed);
    }
}
