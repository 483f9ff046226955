using System.Net;

namespace Mesh.Testing.Tests;

/// <summary>Endpoints of one line.</summary>
internal static class Respond
{
    /// <summary>Answers 200 with the text.</summary>
    public static Func<HttpRequestMessage, HttpResponseMessage> With(string text)
        => _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(text) };
}
