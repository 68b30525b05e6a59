using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using Quilt.Formats.Numerics;
using Quilt.Formats.Tensors;

namespace Quilt.Tests.Quantizer;

/// <summary>A checkpoint folder whose tensors are changed one by one and then written back, each into the file that it was in.</summary>
internal sealed class FolderEdit
{
    private readonly string folder;
    private readonly Dictionary<string, (string File, DType Type, long[] Shape, byte[] Bytes)> tensors = new(StringComparer.Ordinal);

    private FolderEdit(string folder)
    {
        this.folder = folder;
        foreach (var path in Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal))
        {
            using var file = SafeTensorsFile.Open(path);
            foreach (var entry in file.Tensors.Values)
            {
                var bytes = new byte[entry.Length];
                file.Read(entry, bytes);
                tensors.Add(entry.Name, (path, entry.Type, entry.Shape, bytes));
            }
        }
    }

    /// <summary>Metadata of the files that are written.</summary>
    public Dictionary<string, string>? Metadata { get; set; } = new() { ["format"] = "pt" };

    /// <summary>What the index says of all bytes, beside what they are.</summary>
    public long Surplus { get; set; }

    /// <summary>Copies a folder to another place.</summary>
    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from)) File.WriteAllBytes(Path.Combine(to, Path.GetFileName(file)), File.ReadAllBytes(file));
    }

    /// <summary>Changes a folder.</summary>
    public static void Of(string folder, Action<FolderEdit> change)
    {
        var edit = new FolderEdit(folder);
        change(edit);
        edit.Write();
    }

    /// <summary>Changes config.json.</summary>
    public static void Config(string folder, Action<JsonObject> change)
    {
        var path = Path.Combine(folder, "config.json");
        var config = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        change(config);
        File.WriteAllText(path, config.ToJsonString());
    }

    /// <summary>Bytes of a tensor, to be changed.</summary>
    public byte[] this[string name] => tensors[name].Bytes;

    /// <summary>Elements of a tensor, to be changed.</summary>
    public Span<T> Values<T>(string name) where T : unmanaged => MemoryMarshal.Cast<byte, T>(tensors[name].Bytes.AsSpan());

    public void Remove(string name) => tensors.Remove(name);

    public void Add(string name, DType type, long[] shape, byte[] bytes) => tensors.Add(name, (tensors.Values.First().File, type, shape, bytes));

    /// <summary>Gives every tensor the name that comes out; null removes it.</summary>
    public void Rename(Func<string, string?> rename)
    {
        foreach (var (name, tensor) in tensors.ToArray())
        {
            tensors.Remove(name);
            if (rename(name) is { } other) tensors.Add(other, tensor);
        }
    }

    /// <summary>Exchanges the bytes of two modules' tensors, whose shapes are the same.</summary>
    public void Swap(string one, string other)
    {
        foreach (var name in tensors.Keys.Where(name => name.StartsWith($"{one}.", StringComparison.Ordinal)).ToArray())
        {
            var twin = other + name[one.Length..];
            (tensors[name], tensors[twin]) = (tensors[name] with { Bytes = tensors[twin].Bytes }, tensors[twin] with { Bytes = tensors[name].Bytes });
        }
    }

    /// <summary>Puts what another folder has under this name.</summary>
    public void Take(string name, string from)
    {
        var (_, type, shape, bytes) = new FolderEdit(from).tensors[name];
        tensors[name] = (tensors[name].File, type, shape, bytes);
    }

    /// <summary>Stores a float32 tensor as bfloat16.</summary>
    public void ToBFloat16(string name)
    {
        var halves = Array.ConvertAll(Values<float>(name).ToArray(), value => (BFloat16)value);
        tensors[name] = tensors[name] with { Type = DType.BF16, Bytes = MemoryMarshal.AsBytes<BFloat16>(halves).ToArray() };
    }

    private void Write()
    {
        var files = tensors.GroupBy(tensor => tensor.Value.File).ToList();
        foreach (var file in files)
            SafeTensorsWriter.Write(file.Key, [.. file.Select(t => new TensorToWrite(t.Key, t.Value.Type, t.Value.Shape, t.Value.Bytes))], Metadata);
        var index = Path.Combine(folder, ShardIndex.FileName);
        if (File.Exists(index))
            new ShardIndex(tensors.ToDictionary(t => t.Key, t => Path.GetFileName(t.Value.File)),
                tensors.Values.Sum(t => t.Bytes.LongLength) + Surplus).Write(index);
    }
}
