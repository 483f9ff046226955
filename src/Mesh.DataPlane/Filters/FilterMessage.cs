using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Resources;
using Mesh.Xds.Client;

namespace Mesh.DataPlane.Filters;

/// <summary>The configuration of a filter as it arrived: a message by itself, or a <c>TypedStruct</c> that names the message it stands for.</summary>
internal readonly struct FilterMessage
{
    private static readonly JsonParser Json = new(JsonParser.Settings.Default);

    private readonly ByteString _body;
    private readonly Struct? _struct;

    private FilterMessage(string typeUrl, ByteString body, Struct? json)
    {
        TypeName = typeUrl[(typeUrl.LastIndexOf('/') + 1)..];
        (_body, _struct) = (body, json);
    }

    /// <summary>The name of the type, without <c>type.googleapis.com/</c>.</summary>
    public string TypeName { get; }

    public static FilterMessage Open(Any any, string path)
    {
        if (any.Is(global::Xds.Type.V3.TypedStruct.Descriptor))
        {
            var typed = WireMessage.Parse(global::Xds.Type.V3.TypedStruct.Parser, any.Value, path);
            return new FilterMessage(typed.TypeUrl, ByteString.Empty, typed.Value ?? new Struct());
        }

        if (any.Is(global::Udpa.Type.V1.TypedStruct.Descriptor))
        {
            var typed = WireMessage.Parse(global::Udpa.Type.V1.TypedStruct.Parser, any.Value, path);
            return new FilterMessage(typed.TypeUrl, ByteString.Empty, typed.Value ?? new Struct());
        }

        return new FilterMessage(any.TypeUrl, any.Value, null);
    }

    /// <summary>Reads it as a message that this data plane knows, and holds it to the message's rules.</summary>
    /// <exception cref="ResourceRejectedException">It is not one, or breaks a rule.</exception>
    public T Parse<T>(MessageParser<T> parser, string path, ICollection<string> notes)
        where T : IMessage<T>, new()
    {
        T message;
        var body = _body;
        if (_struct is null)
        {
            message = WireMessage.Parse(parser, _body, path);
        }
        else
        {
            try
            {
                message = Json.Parse<T>(JsonFormatter.Default.Format(_struct));
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidJsonException or InvalidOperationException)
            {
                throw new ResourceRejectedException(path, $"the TypedStruct is not a {TypeName}: {e.Message}");
            }

            body = message.ToByteString();
        }

        foreach (var note in WireMessage.Validate(message, body, parser, path))
        {
            notes.Add(note);
        }

        return message;
    }

    /// <summary>Reads it as JSON: a struct as it is; a message by the descriptor of its type.</summary>
    /// <exception cref="ResourceRejectedException">There is neither a struct nor a descriptor.</exception>
    public JsonElement ToJson(MessageDescriptor? descriptor, string path)
    {
        string text;
        if (_struct is not null)
        {
            text = Format(_struct, path);
        }
        else if (_body.IsEmpty)
        {
            text = "{}";
        }
        else if (descriptor is not null)
        {
            try
            {
                text = new JsonFormatter(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true)).Format(descriptor.Parser.ParseFrom(_body));
            }
            catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException)
            {
                throw new ResourceRejectedException(path, $"cannot be read as a {TypeName}: {e.Message}");
            }
        }
        else
        {
            throw new ResourceRejectedException(path, $"a message of the type {TypeName} cannot be read; send it as xds.type.v3.TypedStruct with this type_url");
        }

        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 256 });
        return document.RootElement.Clone();
    }

    /// <summary>A struct as JSON.</summary>
    /// <exception cref="ResourceRejectedException">It holds what JSON cannot say: a value of no kind, or a number that is none.</exception>
    public static string Format(Struct value, string path)
    {
        try
        {
            return JsonFormatter.Default.Format(value);
        }
        catch (InvalidOperationException e)
        {
            throw new ResourceRejectedException(path, $"has no form in JSON: {e.Message}");
        }
    }
}
