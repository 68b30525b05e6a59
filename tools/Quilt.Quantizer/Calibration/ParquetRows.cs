using System.Buffers;
using System.Text.Json;
using Parquet;
using Parquet.Schema;
using Quilt.Formats;

namespace Quilt.Quantizer.Calibration;

/// <summary>
/// A Parquet file's rows as JSON objects. Groups of rows are read one after another, and no more of them than are asked for. Lists, structs and
/// whatever is made of them are put together from the columns' levels (<see cref="ParquetField"/>).
/// </summary>
internal static class ParquetRows
{
    /// <param name="path">The file.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="BadInputException">It is damaged, or a column is of a type that JSON has nothing for.</exception>
    public static IEnumerable<JsonElement> Read(string path, CancellationToken cancel)
    {
        using var file = File.OpenRead(path);
        var reader = Guard(path, () => Wait(ParquetReader.CreateAsync(file, null, leaveStreamOpen: true, cancel)));
        try
        {
            for (var group = 0; group < reader.RowGroupCount; group++)
            {
                foreach (var row in Group(path, reader, group, cancel)) yield return row;
            }
        }
        finally
        {
            reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private static IEnumerable<JsonElement> Group(string path, ParquetReader reader, int index, CancellationToken cancel)
    {
        using var group = reader.OpenRowGroupReader(index);
        var columns = new List<ParquetColumn>();
        try
        {
            ParquetColumn Open(DataField leaf) => Column(path, group, leaf, columns, cancel);
            var fields = Guard(path, () => reader.Schema.Fields.Select(field => ParquetField.Of(field, Open)).ToArray());
            for (long row = 0; row < group.RowCount; row++) yield return Guard(path, () => Row(fields));
        }
        finally
        {
            foreach (var column in columns) column.Dispose();
        }
    }

    private static ParquetColumn Column(
        string path, ParquetRowGroupReader group, DataField leaf, List<ParquetColumn> columns, CancellationToken cancel)
    {
        var column = ParquetColumn.Of(path, leaf, Wait(group.ReadRawColumnDataBaseAsync(leaf, cancel)));
        columns.Add(column);
        return column;
    }

    private static JsonElement Row(ParquetField[] fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var field in fields)
            {
                json.WritePropertyName(field.Name);
                field.Write(json);
            }
            json.WriteEndObject();
        }
        return JsonElement.Parse(buffer.WrittenSpan, new JsonDocumentOptions { MaxDepth = PythonJson.MaxDepth });
    }

    // A damaged file makes the library fail in many ways.
    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is not (BadInputException or OperationCanceledException or OutOfMemoryException))
        {
            throw new BadInputException(path, null, $"expected a Parquet file: {e.Message}", e);
        }
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();

    private static T Wait<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();
}
