namespace Mesh.DataPlane.Transports;

/// <summary>
/// The endpoint has come to be one that is told by each request who calls, and this one does not say it. Nothing has been sent: sent again with it, the request
/// goes by another connection.
/// </summary>
internal sealed class UnintroducedException() : IOException("The endpoint is told who calls by its requests from now on, and this one does not say it.")
{
    /// <summary>Whether that is why a request has failed.</summary>
    public static bool IsCauseOf(HttpRequestException exception)
    {
        for (var e = exception.InnerException; e is not null; e = e.InnerException)
        {
            if (e is UnintroducedException)
            {
                return true;
            }
        }

        return false;
    }
}
