using Quilt.Formats;
using Quilt.Formats.Tensors;
using Quilt.Quantizer.Output;

namespace Quilt.Tests.Quantizer.Output;

/// <summary>A result appears whole or not at all, and goes on where it was, whatever stopped it.</summary>
public sealed class OutputFolderTests
{
    private const long Shard = 300;

    // Sizes such that a part goes into two shards, a shard takes several parts, and a tensor is larger than a shard.
    private static readonly OutputPart[] Parts =
    [
        new("embedding", [new("e", DType.U8, [200])]),
        new("layer-0", [new("a.w", DType.U8, [150]), new("a.s", DType.BF16, [40]), new("a.z", DType.F32, [20])]),
        new("layer-1", [new("b.w", DType.U8, [700]), new("b.s", DType.BF16, [4])]),
        new("head", [new("h", DType.I64, [3]), new("n", DType.U8, [0])]),
    ];

    private string folder = "";

    private string Out => Path.Combine(folder, "out");

    private string Source => Path.Combine(folder, "source");

    [SetUp]
    public void Create()
    {
        folder = Path.Combine(Path.GetTempPath(), $"quilt-output-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.Combine(Source, "additional_chat_templates"));
        Directory.CreateDirectory(Path.Combine(Source, ".cache"));
        foreach (var (name, text) in new[]
        {
            ("config.json", "{}"), ("tokenizer.json", "{\"a\": 1}"), ("README.md", "# It"), ("model.safetensors", "weights"), ("old.bin", "weights"),
            ("model.safetensors.index.json", "{}"), (".gitattributes", "x"), (".cache/x", "x"), ("additional_chat_templates/tool.jinja", "{{ 1 }}"),
        })
            File.WriteAllText(Path.Combine(Source, name), text);
    }

    [TearDown]
    public void Delete() => Directory.Delete(folder, recursive: true);

    [Test]
    public void Is_there_only_when_it_is_whole()
    {
        using (var output = Open())
        {
            foreach (var part in Parts)
            {
                output.WritePart(part.Name, Tensors(part));
                Assert.That(Directory.Exists(Out), Is.False);
            }
            output.Finish(Source, "{\"b\": 2}"u8.ToArray(), "recipe");
        }
        Assert.That(Directory.GetFileSystemEntries(folder).Select(Path.GetFileName), Is.EquivalentTo(new[] { "source", "out" }));
        var files = Directory.GetFiles(Out, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(Out, file)).ToList();
        Assert.That(files, Is.EquivalentTo(new[]
        {
            "config.json", "recipe.yaml", "tokenizer.json", "README.md", "additional_chat_templates/tool.jinja", ShardIndex.FileName,
            "model-00001-of-00005.safetensors", "model-00002-of-00005.safetensors", "model-00003-of-00005.safetensors",
            "model-00004-of-00005.safetensors", "model-00005-of-00005.safetensors",
        }.Select(name => name.Replace('/', Path.DirectorySeparatorChar))));
        Assert.That(File.ReadAllText(Path.Combine(Out, "config.json")), Is.EqualTo("{\"b\": 2}"));
        var index = ShardIndex.Read(Path.Combine(Out, ShardIndex.FileName));
        Assert.That(index.TotalSize, Is.EqualTo(Parts.Sum(part => part.Bytes)));
        foreach (var tensor in Parts.SelectMany(part => part.Tensors))
        {
            using var file = SafeTensorsFile.Open(Path.Combine(Out, index.WeightMap[tensor.Name]));
            Assert.That(file.Metadata["format"], Is.EqualTo("pt"));
            var bytes = new byte[tensor.Bytes];
            file.Read(file.Tensors[tensor.Name], bytes);
            Assert.That(bytes, Is.EqualTo(Content(tensor)));
        }
    }

    [Test]
    public void One_file_that_takes_all_has_no_number_and_no_index()
    {
        Finish(Out, OutputFolder.ShardBytes);
        Assert.That(File.Exists(Path.Combine(Out, "model.safetensors")));
        Assert.That(File.Exists(Path.Combine(Out, ShardIndex.FileName)), Is.False);
    }

    [Test]
    public void Stopped_at_any_write_goes_on_to_the_same_bytes([Values(Shard, OutputFolder.ShardBytes)] long shardBytes)
    {
        var whole = Path.Combine(folder, "whole");
        Finish(whole, shardBytes);
        var writes = Parts.Sum(part => part.Tensors.Count);
        for (var stop = 0; stop <= writes; stop++)
        {
            var target = Path.Combine(folder, FormattableString.Invariant($"stopped-{stop}"));
            var left = stop;
            Assert.That(() => Run(target, shardBytes, tensor => left-- == 0 ? throw new IOException("stopped") : Content(tensor)),
                stop < writes ? Throws.InstanceOf<IOException>() : Throws.Nothing);
            Assert.That(Directory.Exists(target), Is.EqualTo(stop == writes));
            if (stop == writes) continue;
            var again = 0;
            Run(target, shardBytes, tensor =>
            {
                again++;
                return Content(tensor);
            });
            Assert.That(again, Is.LessThanOrEqualTo(writes - PartsBefore(stop)), "what was written is not written again");
            Same(whole, target);
        }
    }

    // A process that is killed leaves whatever files it had at that moment: half-written ones; parts whose shards are made, or only some of them.
    [Test]
    public void Killed_at_any_moment_goes_on_to_the_same_bytes()
    {
        var whole = Path.Combine(folder, "whole");
        Finish(whole, Shard);
        var (states, written) = (new List<string>(), new Dictionary<string, byte[]>());
        var at = Out + ".partial";
        using (var output = Open())
        {
            foreach (var part in Parts)
            {
                output.WritePart(part.Name, [.. Tensors(part).Select(tensor => tensor with { WriteTo = to => { Keep(); tensor.WriteTo(to); } })]);
                SafeTensorsWriter.Write(Path.Combine(folder, "part"), Tensors(part), new Dictionary<string, string> { ["format"] = "pt" });
                written.Add(Path.Combine("parts", part.Name + ".safetensors"), File.ReadAllBytes(Path.Combine(folder, "part")));
                var shards = Directory.GetFiles(at, "model*").Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList();
                for (var made = 0; made <= shards.Count; made++)
                {
                    var state = Keep();
                    foreach (var (name, bytes) in written) File.WriteAllBytes(Path.Combine(state, name), bytes);
                    foreach (var shard in shards.Skip(made)) File.Move(Path.Combine(state, shard!), Path.Combine(state, $"{shard}.0123.tmp"));
                }
            }
        }
        Assert.That(states, Has.Count.GreaterThan(Parts.Length * 2));
        foreach (var state in states)
        {
            Run(state[..^".partial".Length], Shard, Content);
            Same(whole, state[..^".partial".Length]);
        }

        string Keep()
        {
            var copy = Path.Combine(folder, FormattableString.Invariant($"killed-{states.Count}.partial"));
            foreach (var file in Directory.GetFiles(at, "*", SearchOption.AllDirectories).Where(file => Path.GetFileName(file) != "lock"))
            {
                var to = Path.Combine(copy, Path.GetRelativePath(at, file));
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                if (file.EndsWith(".tmp", StringComparison.Ordinal)) File.WriteAllText(to, "begun");
                else File.Copy(file, to);
            }
            Directory.CreateDirectory(Path.Combine(copy, "parts"));
            states.Add(copy);
            return copy;
        }
    }

    [Test]
    public void A_part_whose_shards_were_made_and_that_could_not_be_removed_any_more_is_removed_later()
    {
        using (var output = Open())
        {
            output.WritePart(Parts[0].Name, Tensors(Parts[0]));
            output.WritePart(Parts[1].Name, Tensors(Parts[1]));
        }
        SafeTensorsWriter.Write(Path.Combine(Out + ".partial", "parts", "embedding.safetensors"), [.. Tensors(Parts[0])]);
        using (var output = Open())
        {
            Assert.That(output.HasPart("embedding"));
            Assert.That(File.Exists(Path.Combine(Out + ".partial", "parts", "embedding.safetensors")), Is.False);
        }
    }

    [Test]
    public void Cancelling_in_the_middle_of_a_tensor_leaves_nothing_of_the_part()
    {
        using var cancel = new CancellationTokenSource();
        using var output = Open();
        var tensors = Tensors(Parts[0]).ConvertAll(tensor => tensor with
        {
            WriteTo = to =>
            {
                to.Write(new byte[10]);
                cancel.Cancel();
                tensor.WriteTo(to);
            },
        });
        Assert.That(() => output.WritePart(Parts[0].Name, tensors, cancel.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(output.HasPart(Parts[0].Name), Is.False);
        Assert.That(Directory.GetFiles(Path.Combine(Out + ".partial", "parts")), Is.Empty);
    }

    [Test]
    public void What_was_begun_with_something_else_is_not_gone_on_with()
    {
        using (Open())
        {
        }
        var refused = Assert.Throws<BadInputException>(() => Open(new Fingerprint().Add("source", "1").Add("recipe", "other")));
        Assert.That(refused!.Message, Does.Contain("progress.json: recipe: expected 2").And.Contain("found other")
            .And.Contain($"remove {Out}.partial to begin anew"));
        refused = Assert.Throws<BadInputException>(() => Open(Made().Add("calibration", "x")));
        Assert.That(refused!.Message, Does.Contain("progress.json: calibration: expected nothing"));
        refused = Assert.Throws<BadInputException>(() => Open(new Fingerprint().Add("source", "1")));
        Assert.That(refused!.Message, Does.Contain("progress.json: recipe: expected 2").And.Contain("found nothing"));
    }

    [Test]
    public void Files_that_are_in_the_way_stay_as_they_are()
    {
        File.WriteAllText(Out, "a file");
        Assert.That(() => Open(), Throws.InstanceOf<BadInputException>().With.Message.Contains("expected a new or empty folder, found a file"));
        Assert.That(File.ReadAllText(Out), Is.EqualTo("a file"));
        File.Delete(Out);
        Directory.CreateDirectory(Out);
        File.WriteAllText(Path.Combine(Out, "mine"), "x");
        Assert.That(() => Open(), Throws.InstanceOf<BadInputException>().With.Message.Contains("found files in it"));
        File.Delete(Path.Combine(Out, "mine"));
        Directory.CreateDirectory(Out + ".partial");
        File.WriteAllText(Path.Combine(Out + ".partial", "mine"), "x");
        Assert.That(() => Open(), Throws.InstanceOf<BadInputException>().With.Message.Contains("progress.json"));
        Assert.That(Directory.GetFileSystemEntries(Out + ".partial"), Has.Length.EqualTo(1));
    }

    [Test]
    public void Two_at_work_on_the_same_result_are_one_too_many()
    {
        using var output = Open();
        Assert.That(() => Open(), Throws.InstanceOf<BadInputException>().With.Message.Contains("another process"));
        output.WritePart(Parts[0].Name, Tensors(Parts[0]));
    }

    [Test]
    public void A_disk_without_the_room_is_told_before_anything_is_written()
    {
        OutputPart[] large = [new("head", [new("t", DType.U8, [1L << 60])])];
        var refused = Assert.Throws<BadInputException>(() => OutputFolder.Open(Out, large, Made()));
        Assert.That(refused!.Message, Does.Match(@"expected \d+\.\d+ GB free, found \d+\.\d+ GB"));
        Assert.That(Directory.Exists(Out + ".partial"), Is.False);
        Assert.That(() => OutputFolder.Open(Out, Parts, Made(), workBytes: 1L << 60), Throws.InstanceOf<BadInputException>());
    }

    [Test]
    public void Other_tensors_than_were_said_are_no_part()
    {
        using var output = Open();
        Assert.That(() => output.WritePart("embedding", Tensors(Parts[1])), Throws.ArgumentException);
        Assert.That(() => output.WritePart("embedding", [new TensorToWrite("e", DType.I8, [200], new byte[200])]), Throws.ArgumentException);
        Assert.That(() => output.Finish(Source, [], null), Throws.InvalidOperationException);
    }

    [Test]
    public void Own_files_of_the_caller_last_as_long_as_the_work()
    {
        using (var output = Open()) File.WriteAllText(Path.Combine(output.WorkFolder, "mine"), "x");
        using (var output = Open()) Assert.That(File.ReadAllText(Path.Combine(output.WorkFolder, "mine")), Is.EqualTo("x"));
        Finish(Out, Shard);
        Assert.That(Directory.Exists(Path.Combine(Out, "work")), Is.False);
    }

    private OutputFolder Open(Fingerprint? made = null) => OutputFolder.Open(Out, Parts, made ?? Made(), shardBytes: Shard);

    private static Fingerprint Made() => new Fingerprint().Add("source", "1").Add("recipe", "2");

    private void Finish(string target, long shardBytes) => Run(target, shardBytes, Content);

    private void Run(string target, long shardBytes, Func<OutputTensor, byte[]> content)
    {
        using var output = OutputFolder.Open(target, Parts, Made(), shardBytes: shardBytes);
        foreach (var part in Parts.Where(part => !output.HasPart(part.Name))) output.WritePart(part.Name, Tensors(part, content));
        output.Finish(Source, "{}"u8.ToArray(), null);
    }

    private static int PartsBefore(int writes)
    {
        var count = 0;
        foreach (var part in Parts)
        {
            if (count + part.Tensors.Count > writes) break;
            count += part.Tensors.Count;
        }
        return count;
    }

    private static void Same(string expected, string found)
    {
        string[] files = [.. Directory.GetFiles(expected, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(expected, file))];
        Assert.That(Directory.GetFiles(found, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(found, file)),
            Is.EquivalentTo(files));
        foreach (var file in files)
            Assert.That(File.ReadAllBytes(Path.Combine(found, file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(expected, file))), file);
    }

    private static List<TensorToWrite> Tensors(OutputPart part, Func<OutputTensor, byte[]>? content = null) =>
        [.. part.Tensors.Select(tensor => tensor.With(to => to.Write((content ?? Content)(tensor))))];

    private static byte[] Content(OutputTensor tensor)
    {
        var bytes = new byte[tensor.Bytes];
        new Random(tensor.Name.Length + tensor.Name[0]).NextBytes(bytes);
        return bytes;
    }
}
