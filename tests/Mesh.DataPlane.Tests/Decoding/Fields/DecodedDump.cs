using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using Google.Protobuf;

namespace Mesh.DataPlane.Tests.Decoding.Fields;

/// <summary>
/// Writes out all that a decoded resource is made of, so that two can be compared. Messages that it has kept count for nothing: they say what
/// has come, not what is done with it.
/// </summary>
internal sealed class DecodedDump
{
    private readonly StringBuilder _text = new();
    private readonly HashSet<object> _open = new(ReferenceEqualityComparer.Instance);

    public static string Of(object decoded)
    {
        var dump = new DecodedDump();
        dump.Write(decoded, 0);
        return dump._text.ToString();
    }

    private void Write(object? value, int depth)
    {
        switch (value)
        {
            case null:
                _text.Append('-');
                return;
            case string or Type or Uri or Version or System.Net.EndPoint or System.Net.IPAddress or System.Text.RegularExpressions.Regex:
                _text.Append('"').Append(value).Append('"');
                return;
            case IFormattable formattable when value.GetType().IsPrimitive || value.GetType().IsEnum || value is TimeSpan or DateTimeOffset or decimal:
                _text.Append(formattable.ToString(null, CultureInfo.InvariantCulture));
                return;
            case bool flag:
                _text.Append(flag);
                return;
            case Envoy.Type.Http.V3.Cookie cookie:
                // The one message that is read as it is, by the session that is kept in it.
                _text.Append(cookie);
                return;
            case IMessage or ByteString or Delegate or Task or Lock:
                _text.Append('·');
                return;
        }

        if (!value.GetType().IsValueType && !_open.Add(value))
        {
            _text.Append('^');
            return;
        }

        _text.Append(value.GetType().Name).Append('(');
        if (value is IEnumerable items && (value is Array || value.GetType().Namespace?.StartsWith("System", StringComparison.Ordinal) == true))
        {
            foreach (var item in items)
            {
                Write(item, depth + 1);
                _text.Append(' ');
            }
        }
        else if (depth < 40)
        {
            WriteFields(value, depth);
        }

        _text.Append(')');
        _open.Remove(value);
    }

    private void WriteFields(object value, int depth)
    {
        for (var type = value.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            {
                // Notes are looked at by themselves.
                if (field.Name != "<Notes>k__BackingField")
                {
                    _text.Append(field.Name).Append('=');
                    Write(field.GetValue(value), depth + 1);
                    _text.Append(';');
                }
            }
        }
    }
}
