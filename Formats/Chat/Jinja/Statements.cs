namespace Quilt.Formats.Chat.Jinja;

/// <summary>Part of a template that writes.</summary>
internal abstract class Statement(int line)
{
    /// <summary>Line of the template, from 1.</summary>
    public int Line { get; } = line;

    public Flow Execute(Run run, Scope scope, Output output)
    {
        run.Line = Line;
        run.Enter();
        var flow = Do(run, scope, output);
        run.Leave();
        return flow;
    }

    protected abstract Flow Do(Run run, Scope scope, Output output);
}

/// <summary>What comes after a statement.</summary>
internal enum Flow
{
    /// <summary>The next one.</summary>
    Next,

    /// <summary>The loop is over.</summary>
    Break,

    /// <summary>The loop's next item.</summary>
    Continue,
}

/// <summary>Statements one after another.</summary>
internal sealed class Block(IReadOnlyList<Statement> statements)
{
    public Flow Execute(Run run, Scope scope, Output output)
    {
        foreach (var statement in statements)
        {
            var flow = statement.Execute(run, scope, output);
            if (flow != Flow.Next) return flow;
        }
        return Flow.Next;
    }

    /// <summary>What the block writes, as a text.</summary>
    public string Capture(Run run, Scope scope)
    {
        var output = new Output(run);
        Execute(run, scope, output);
        return output.ToString();
    }
}

internal sealed class Data(int line, string text) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        output.Write(text);
        return Flow.Next;
    }
}

internal sealed class Print(int line, Expression value) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        output.Write(run.Printed(value.Evaluate(run, scope)));
        return Flow.Next;
    }
}

internal sealed class If(int line, IReadOnlyList<(Expression Condition, Block Body)> branches, Block? otherwise) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        foreach (var (condition, body) in branches)
        {
            if (Python.IsTrue(condition.Evaluate(run, scope))) return body.Execute(run, scope, output);
        }
        return otherwise?.Execute(run, scope, output) ?? Flow.Next;
    }
}

/// <summary>set a, b = value; set ns.a = value.</summary>
internal sealed class Set(int line, Target target, Expression value) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        target.Assign(value.Evaluate(run, scope), scope);
        return Flow.Next;
    }
}

/// <summary>set a … endset, through a filter perhaps.</summary>
internal sealed class SetBlock(int line, Target target, Filter? filter, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        var text = run.Captured(body.Capture(run, new Scope(scope)));
        target.Assign(filter is null ? text : filter.Apply(text, run, scope), scope);
        return Flow.Next;
    }
}

internal sealed class FilterBlock(int line, Filter filter, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        output.Write(Python.Str(filter.Apply(run.Captured(body.Capture(run, new Scope(scope))), run, scope)));
        return Flow.Next;
    }
}

internal sealed class With(int line, IReadOnlyList<(Target Target, Expression Value)> assignments, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in assignments) target.Assign(value.Evaluate(run, scope), inner);
        return body.Execute(run, inner, output);
    }
}

/// <summary>block name … endblock: it sees the names of the template, and those around it only where it is scoped.</summary>
internal sealed class NamedBlock(int line, bool isScoped, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output)
    {
        body.Execute(run, new Scope(isScoped ? scope : run.Top), output);
        return Flow.Next;
    }
}

/// <summary>A body that renders as it is: generation, autoescape as the style has it.</summary>
internal sealed class Inline(int line, Block body) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output) => body.Execute(run, new Scope(scope), output);
}

internal sealed class Jump(int line, Flow flow) : Statement(line)
{
    protected override Flow Do(Run run, Scope scope, Output output) => flow;
}

/// <summary>What a value is assigned to: a name, an attribute of a namespace, or several of them.</summary>
internal sealed class Target(string? name, string? attribute, IReadOnlyList<Target>? parts)
{
    public void Assign(object? value, Scope scope)
    {
        if (parts is not null)
        {
            var items = Unpack(value, parts.Count);
            for (var i = 0; i < parts.Count; i++) parts[i].Assign(items[i], scope);
        }
        else if (attribute is not null)
        {
            if (!scope.TryGet(name!, out var space) || space is not JinjaNamespace { TypeName: "Namespace" } known)
                throw new JinjaError("cannot assign attribute on non-namespace object");
            known.Attributes[attribute] = value;
        }
        else
        {
            scope[name!] = value;
        }
    }

    /// <summary>The elements of a value that must have so many.</summary>
    public static IReadOnlyList<object?> Unpack(object? value, int count)
    {
        if (value is null or bool or long or double or System.Numerics.BigInteger)
            throw new JinjaError($"cannot unpack non-iterable {Python.TypeName(value)} object");
        var items = Python.Iterate(value);
        if (items.Count < count) throw new JinjaError($"not enough values to unpack (expected {count}, got {items.Count})");
        if (items.Count > count) throw new JinjaError($"too many values to unpack (expected {count})");
        return items;
    }
}
