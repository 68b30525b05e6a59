using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Parquet.Serialization;
using Quilt.Formats;
using Quilt.Quantizer.Calibration;

namespace Quilt.Tests.Quantizer.Calibration;

/// <summary>Parquet files, written by the library that reads them.</summary>
public sealed class ParquetRowsTests
{
    private static readonly Row[] Rows =
    [
        new()
        {
            Id = 1, Name = "é\n\"", Tags = ["x", null, "y"], Score = 0.1f, Big = 1e20, Whole = 3, Flag = true,
            Messages = [new() { Role = "user", Content = "hi", Spans = [[1, 2], [], null] }, null, new() { Role = "assistant", Spans = null }],
            Solutions = new() { Solution = ["c", "d"], Language = [] },
        },
        new() { Id = 2, Tags = [], Messages = [], Big = 2 },
        new() { Id = 3, Tags = [null], Messages = [new()], Solutions = new(), Big = 0.5, Flag = false, Name = "" },
    ];

    private const string Json = """
        [
          {"Id":1,"Name":"é\n\"","Messages":[{"Role":"user","Content":"hi","Spans":[[1,2],[],null]},null,
           {"Role":"assistant","Content":null,"Spans":null}],
           "Tags":["x",null,"y"],"Solutions":{"Solution":["c","d"],"Language":[]},"Score":0.10000000149011612,"Big":1e+20,"Whole":3,"Flag":true},
          {"Id":2,"Name":null,"Messages":[],"Tags":[],"Solutions":null,"Score":null,"Big":2.0,"Whole":null,"Flag":null},
          {"Id":3,"Name":"","Messages":[{"Role":null,"Content":null,"Spans":null}],"Tags":[null],"Solutions":{"Solution":null,"Language":null},
           "Score":null,"Big":0.5,"Whole":null,"Flag":false}
        ]
        """;

    [Test]
    public async Task Puts_lists_and_structs_together()
    {
        using var data = new DataFolder();
        var path = data.Place("rows.parquet");
        await ParquetSerializer.SerializeAsync(Rows, path);
        Assert.That(Read(path), Is.EqualTo(Expected()));
    }

    [Test]
    public async Task Goes_through_groups_of_rows()
    {
        using var data = new DataFolder();
        var path = data.Place("rows.parquet");
        await ParquetSerializer.SerializeAsync(Rows, path, new ParquetOptions { RowGroupSize = 1 });
        await using (var reader = await ParquetReader.CreateAsync(path)) Assert.That(reader.RowGroupCount, Is.EqualTo(3));
        Assert.That(Read(path), Is.EqualTo(Expected()));
        Assert.That(ParquetRows.Read(path, default).First().GetProperty("Id").GetInt32(), Is.EqualTo(1));
    }

    [Test]
    public async Task Columns_keep_their_order()
    {
        using var data = new DataFolder();
        var path = data.Place("rows.parquet");
        await ParquetSerializer.SerializeAsync(Rows, path);
        Assert.That(ParquetRows.Read(path, default).First().EnumerateObject().Select(column => column.Name),
            Is.EqualTo(new[] { "Id", "Name", "Messages", "Tags", "Solutions", "Score", "Big", "Whole", "Flag" }));
    }

    [Test]
    public async Task Refuses_maps_by_name()
    {
        using var data = new DataFolder();
        var path = data.Place("rows.parquet");
        await ParquetSerializer.SerializeAsync([new WithMap { Map = new() { ["a"] = 1 } }], path);
        Assert.That(() => Read(path), Throws.TypeOf<BadInputException>().With.Message.Contains("the column Map is a Map, which is not supported"));
    }

    [Test]
    public async Task Bytes_are_text_or_refused()
    {
        using var data = new DataFolder();
        var field = new DataField<byte[]>("bytes");
        async Task<string> Write(string name, byte[] bytes)
        {
            var path = data.Place(name);
            await using var file = File.Create(path);
            await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), file);
            using var group = writer.CreateRowGroup();
            await group.WriteAsync(field, [bytes]);
            return path;
        }
        Assert.That(Read(await Write("text.parquet", "é"u8.ToArray())), Is.EqualTo(new[] { "{\"bytes\":\"\\u00E9\"}" }));
        var binary = await Write("binary.parquet", [0xFF, 0xD8]);
        Assert.That(() => Read(binary), Throws.TypeOf<BadInputException>().With.Message.Contains("bytes: expected text"));
    }

    [Test]
    public async Task Refuses_files_that_were_cut_or_changed()
    {
        using var data = new DataFolder();
        var path = data.Place("rows.parquet");
        await ParquetSerializer.SerializeAsync(Rows, path);
        var bytes = await File.ReadAllBytesAsync(path);
        foreach (var length in Enumerable.Range(0, bytes.Length).Where(length => length % 37 == 0))
        {
            await File.WriteAllBytesAsync(path, bytes[..length]);
            Assert.That(() => Read(path), Throws.TypeOf<BadInputException>(), $"cut at {length}");
        }
        for (var at = 4; at < bytes.Length; at += 11)
        {
            var changed = bytes.ToArray();
            changed[at] ^= 0x55;
            await File.WriteAllBytesAsync(path, changed);
            try
            {
                Read(path);
            }
            catch (BadInputException)
            {
            }
        }
    }

    // Compact, numbers as they are written.
    private static string[] Read(string path) => [.. ParquetRows.Read(path, default).Select(row => JsonSerializer.Serialize(row))];

    private static string[] Expected() => [.. JsonElement.Parse(Json).EnumerateArray().Select(row => JsonSerializer.Serialize(row))];

    private sealed class Row
    {
        public int Id { get; set; }
        public string? Name { get; set; }
        public List<Message?>? Messages { get; set; }
        public List<string?>? Tags { get; set; }
        public Solved? Solutions { get; set; }
        public float? Score { get; set; }
        public double Big { get; set; }
        public long? Whole { get; set; }
        public bool? Flag { get; set; }
    }

    private sealed class Message
    {
        public string? Role { get; set; }
        public string? Content { get; set; }
        public List<List<int>?>? Spans { get; set; }
    }

    private sealed class Solved
    {
        public List<string>? Solution { get; set; }
        public List<int>? Language { get; set; }
    }

    private sealed class WithMap
    {
        public Dictionary<string, int>? Map { get; set; }
    }
}
