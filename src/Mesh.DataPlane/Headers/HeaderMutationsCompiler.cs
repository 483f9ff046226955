using Envoy.Config.Core.V3;
using Google.Protobuf.Collections;
using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using EnvoyAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;

namespace Mesh.DataPlane.Headers;

/// <summary>Compiles <c>*_headers_to_add</c> and <c>*_headers_to_remove</c>; what could not be sent is refused here and not met by a request.</summary>
internal static class HeaderMutationsCompiler
{
    /// <summary>The end of a note that does not hold where requests come in.</summary>
    public const string ForIncoming = "only requests that come in have a value";

    /// <param name="add">The additions.</param>
    /// <param name="remove">The removals.</param>
    /// <param name="path">Where the message stands, and the fields' common beginning, as in <c>virtual_hosts[0].request_headers</c>.</param>
    /// <param name="notes">Takes what is carried and has no effect.</param>
    /// <returns><see langword="null"/> when there is nothing to do.</returns>
    public static HeaderMutations? Compile(RepeatedField<HeaderValueOption> add, RepeatedField<string> remove, string path, ICollection<string> notes)
    {
        if (add.Count == 0 && remove.Count == 0)
        {
            return null;
        }

        return new HeaderMutations(
            [.. remove.Select((name, i) => Name(name, $"{path}_to_remove[{i}]", "removed"))],
            [.. add.Select((option, i) => Addition(option, $"{path}_to_add[{i}]", notes))]);
    }

    public static HeaderAddition Addition(HeaderValueOption option, string path, ICollection<string> notes)
    {
        var header = option.Header ?? throw new ResourceRejectedException(path + ".header", "must be set");
        var name = Name(header.Key, path + ".header.key", "set");
        if (!header.RawValue.IsEmpty)
        {
            notes.Add($"{path}.header.raw_value is not read; write the value as text");
        }

        return new HeaderAddition(name, Format(header.Value, omitEmptyValues: true, path + ".header.value", notes), Action(option, path), option.KeepEmptyValue);
    }

    /// <summary>The name of a header that a configuration may change.</summary>
    /// <exception cref="ResourceRejectedException">The header frames the message, addresses it, or is none.</exception>
    public static HeaderName Name(string name, string path, string verb)
    {
        // Envoy refuses these too: the route's rewrites are the way to change where a request goes.
        if (name.StartsWith(':') || name.Equals("host", StringComparison.OrdinalIgnoreCase))
        {
            throw new ResourceRejectedException(path, $"'{name}' may not be {verb}: change path and host by the route's rewrites");
        }

        if (!HeaderName.IsValid(name))
        {
            throw new ResourceRejectedException(path, $"'{Printable(name)}' is no header name");
        }

        // They say where a body ends; two parties that disagree on that can be made to smuggle.
        if (name.Equals("content-length", StringComparison.OrdinalIgnoreCase) || name.Equals("transfer-encoding", StringComparison.OrdinalIgnoreCase))
        {
            throw new ResourceRejectedException(path, $"'{name}' may not be {verb}: it frames the body");
        }

        return new HeaderName(name);
    }

    /// <summary>Compiles a format that stands in a header or a body.</summary>
    /// <exception cref="ResourceRejectedException">It cannot be compiled, or its own text would end the header.</exception>
    public static SubstitutionFormat Format(string text, bool omitEmptyValues, string path, ICollection<string> notes)
    {
        if (!HeaderValues.IsSafe(text))
        {
            throw new ResourceRejectedException(path, "must not contain CR, LF, NUL or another control character");
        }

        try
        {
            var format = SubstitutionFormat.Parse(text, omitEmptyValues);
            if (FormatCommands.FindOfConnectionsAlone(format.NotAlwaysKnown) is { } impossible)
            {
                throw new ResourceRejectedException(path, $"names {FormatCommands.WhyOfConnectionsAlone(impossible)}");
            }

            foreach (var command in format.NotAlwaysKnown)
            {
                notes.Add($"{path} names %{command}%, for which {(FormatCommands.All[command].IsOfConnection ? ForIncoming : "there is no value here")}");
            }

            return format;
        }
        catch (SubstitutionFormatException e)
        {
            throw new ResourceRejectedException(path, e.Message);
        }
    }

#pragma warning disable CS0612 // The older spelling of the same.
    private static HeaderAppendAction Action(HeaderValueOption option, string path)
    {
        if (option.Append is { } append)
        {
            return option.AppendAction == EnvoyAction.AppendIfExistsOrAdd
                ? append ? HeaderAppendAction.AppendIfExistsOrAdd : HeaderAppendAction.OverwriteIfExistsOrAdd
                : throw new ResourceRejectedException(path + ".append", "must not be set beside append_action");
        }

        return option.AppendAction switch
        {
            EnvoyAction.AppendIfExistsOrAdd => HeaderAppendAction.AppendIfExistsOrAdd,
            EnvoyAction.AddIfAbsent => HeaderAppendAction.AddIfAbsent,
            EnvoyAction.OverwriteIfExistsOrAdd => HeaderAppendAction.OverwriteIfExistsOrAdd,
            EnvoyAction.OverwriteIfExists => HeaderAppendAction.OverwriteIfExists,
            _ => throw new ResourceRejectedException(path + ".append_action", $"{option.AppendAction} is not a known value"),
        };
    }
#pragma warning restore CS0612

    private static string Printable(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));
}
