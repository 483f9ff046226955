using Envoy.Config.Core.V3;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Matching;
using Mesh.Filters;
using Mesh.Xds.Client;
using AppendAction = Envoy.Config.Core.V3.HeaderValueOption.Types.HeaderAppendAction;
using Mutation = Envoy.Config.Common.MutationRules.V3.HeaderMutation;

namespace Mesh.DataPlane.Filters.HeaderMutation;

/// <summary>Compiles changes of headers.</summary>
internal static class HeaderActionCompiler
{
    public static HeaderAction[] Compile(IReadOnlyList<Mutation> messages, string path, ICollection<string> notes)
        => [.. messages.Select((m, i) => Compile(m, $"{path}[{i}]", notes))];

    public static HeaderAction[] Compile(IReadOnlyList<HeaderValueOption> messages, string path, ICollection<string> notes)
        => [.. messages.Select((m, i) => Compile(m, $"{path}[{i}]", notes))];

    private static HeaderAction Compile(Mutation message, string path, ICollection<string> notes)
        => message.ActionCase switch
        {
            Mutation.ActionOneofCase.Append => Compile(message.Append, path + ".append", notes),
            Mutation.ActionOneofCase.Remove => new HeaderAction.Remove(Removable(message.Remove, path + ".remove")),
            Mutation.ActionOneofCase.RemoveOnMatch => new HeaderAction.RemoveOnMatch(
                MatcherCompiler.String(message.RemoveOnMatch.KeyMatcher, path + ".remove_on_match.key_matcher")),
            _ => throw new ResourceRejectedException(path, "one of append, remove and remove_on_match must be set"),
        };

    private static HeaderAction Compile(HeaderValueOption message, string path, ICollection<string> notes)
    {
        var header = message.Header ?? throw new ResourceRejectedException(path + ".header", "must be set");
        var text = header.Value.Length > 0 ? header.Value : header.RawValue.ToStringUtf8();
        if (!HeaderSyntax.IsToken(header.Key.AsSpan(header.Key.StartsWith(':') ? 1 : 0)))
        {
            throw new ResourceRejectedException(path + ".header.key", $"'{header.Key}' is not the name of a header");
        }

        // They say where a body ends; two parties that disagree on that can be made to smuggle.
        if (header.Key.ToLowerInvariant() is "content-length" or "transfer-encoding")
        {
            throw new ResourceRejectedException(path + ".header.key", $"'{header.Key}' may not be set: it frames the body");
        }

#pragma warning disable CS0612 // The older field wins where it is set.
        var action = message.Append is { } append ? append ? HeaderWrite.Append : HeaderWrite.Overwrite : message.AppendAction switch
#pragma warning restore CS0612
        {
            AppendAction.AppendIfExistsOrAdd => HeaderWrite.Append,
            AppendAction.AddIfAbsent => HeaderWrite.AddIfAbsent,
            AppendAction.OverwriteIfExistsOrAdd => HeaderWrite.Overwrite,
            AppendAction.OverwriteIfExists => HeaderWrite.OverwriteIfExists,
            _ => throw new ResourceRejectedException(path + ".append_action", $"{message.AppendAction} is not a known action"),
        };
        return new HeaderAction.Write(header.Key.ToLowerInvariant(), Format(text, path + ".header.value", notes), action, message.KeepEmptyValue);
    }

    public static HeaderFormat Format(string text, string path, ICollection<string> notes)
        => new(HeaderMutationsCompiler.Format(text, omitEmptyValues: true, path, notes));

    private static string Removable(string name, string path)
        => name.StartsWith(':') || name.Equals("host", StringComparison.OrdinalIgnoreCase)
            ? throw new ResourceRejectedException(path, $"'{name}' cannot be removed: without it there is no message")
            : HeaderName.IsValid(name) ? name : throw new ResourceRejectedException(path, $"'{name}' is not the name of a header");
}
