using Mesh.DataPlane.Formatting;
using Mesh.DataPlane.Matching;

namespace Mesh.DataPlane.Headers;

/// <summary>
/// The <c>headers_to_remove</c> and <c>headers_to_add</c> of one level (route, virtual host, …), evaluated as Envoy does: removals, then all values
/// from the headers as they are at that moment, then what overwrites, then what appends.
/// </summary>
internal sealed class HeaderMutations(HeaderName[] remove, HeaderAddition[] add)
{
    /// <summary>The headers that it removes.</summary>
    public IEnumerable<HeaderName> Removed => remove;

    /// <summary>The headers that it sets.</summary>
    public IEnumerable<HeaderName> Added => add.Select(a => a.Name);

    /// <summary>Applies the mutations.</summary>
    /// <returns>
    /// The first header whose value was left out because it would have ended the header; nothing is left of what it was to overwrite.
    /// <see langword="null"/> when all went well.
    /// </returns>
    public HeaderName? Apply(HeaderMap headers, in FormatContext context)
    {
        foreach (var name in remove)
        {
            headers.Remove(name);
        }

        HeaderName? refused = null;
        if (add.Length == 1)
        {
            var value = add[0].ValueFor(headers, context);
            Write(headers, add[0], value, ref refused);
            return refused;
        }

        var values = new string?[add.Length];
        for (var i = 0; i < add.Length; i++)
        {
            values[i] = add[i].ValueFor(headers, context);
        }

        foreach (var overwrite in (ReadOnlySpan<bool>)[true, false])
        {
            for (var i = 0; i < add.Length; i++)
            {
                if (add[i].IsOverwrite == overwrite)
                {
                    Write(headers, add[i], values[i], ref refused);
                }
            }
        }

        return refused;
    }

    private static void Write(HeaderMap headers, HeaderAddition addition, string? value, ref HeaderName? refused)
    {
        if (value is null)
        {
            return;
        }

        if (!HeaderValues.IsSafe(value))
        {
            refused ??= addition.Name;
            if (addition.IsOverwrite)
            {
                headers.Remove(addition.Name);
            }
        }
        else if (addition.IsOverwrite)
        {
            headers.Set(addition.Name, value);
        }
        else
        {
            headers.Add(addition.Name, value);
        }
    }
}
