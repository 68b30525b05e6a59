using System.Globalization;
using System.Text.Json;
using Quilt.Formats.Checkpoints;
using Quilt.Kernels.Devices;
using Quilt.Runtime;
using Quilt.Runtime.Models;
using Spectre.Console;

namespace Quilt.Cli.Inspect;

/// <summary>What each of several devices would hold of a checkpoint, from its headers.</summary>
internal static class DevicePlans
{
    /// <summary>The plan for devices that have so much memory free each.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="options">How many devices, and how they run.</param>
    /// <param name="free">Bytes that each device has, as GPUs; null: parts of this machine.</param>
    /// <exception cref="Formats.BadInputException">A width does not divide.</exception>
    public static MemoryPlan Of(Checkpoint checkpoint, EngineOptions options, long? free)
    {
        var spec = Architectures.Describe(checkpoint.Config);
        return Of(spec, _ => new CheckpointParts(checkpoint, null, null, default), options, free,
            Path.Combine(checkpoint.Folder, ModelConfig.FileName));
    }

    /// <summary>The same of any decoder's parts.</summary>
    public static MemoryPlan Of(DecoderSpec spec, Func<int, IDecoderParts> parts, EngineOptions options, long? free, string file)
    {
        options.Validate();
        var count = options.TensorParallel;
        DeviceShare.Check(spec, count, options.ExpertParallel, file);
        var system = SystemMemory.Read();
        var rooms = Enumerable.Range(0, count).Select(i => free is { } bytes
            ? MemoryRoom.Gpu(string.Create(CultureInfo.InvariantCulture, $"gpu:{i}"), bytes, isCuda: true, tensorCores: true)
            : new MemoryRoom(string.Create(CultureInfo.InvariantCulture, $"cpu {i}"), system.Available / count, system.Total / count, 0, 0.75));
        return MemoryPlanner.For([.. rooms], spec, [.. Enumerable.Range(0, count).Select(parts)],
            [.. Enumerable.Range(0, count).Select(i => new DeviceShare(i, count, options.ExpertParallel))], options);
    }

    /// <summary>A row for each device, and what the cache holds.</summary>
    public static void Print(MemoryPlan plan)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns("device", "weights", "cache", "scratch", "driver", "all", "of", "");
        foreach (var column in table.Columns.Skip(1)) column.RightAligned();
        foreach (var one in plan.Devices)
        {
            table.AddRow(one.Device, Sizes.Bytes(one.Weights), Sizes.Bytes(one.Cache), Sizes.Bytes(one.Scratch), Sizes.Bytes(one.Reserve),
                Sizes.Bytes(one.Total), Sizes.Bytes(one.Free), one.Fits ? "fits" : "does not fit");
        }
        AnsiConsole.Write(table);
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"the cache holds {plan.CacheTokens:#,0} tokens in {plan.CacheType.ToString().ToLowerInvariant()}; " +
            $"one sequence may have {plan.ContextTokens:#,0}"));
    }

    /// <summary>The same as a member <c>devices</c>.</summary>
    public static void Write(Utf8JsonWriter writer, MemoryPlan plan)
    {
        writer.WriteNumber("cache_tokens", plan.CacheTokens);
        writer.WriteString("cache_type", plan.CacheType.ToString().ToLowerInvariant());
        writer.WriteStartArray("devices");
        foreach (var one in plan.Devices)
        {
            writer.WriteStartObject();
            writer.WriteString("device", one.Device);
            writer.WriteNumber("weights", one.Weights);
            writer.WriteNumber("cache", one.Cache);
            writer.WriteNumber("scratch", one.Scratch);
            writer.WriteNumber("driver", one.Reserve);
            writer.WriteNumber("total", one.Total);
            writer.WriteNumber("free", one.Free);
            writer.WriteBoolean("fits", one.Fits);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
