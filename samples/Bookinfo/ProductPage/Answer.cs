namespace Bookinfo.ProductPage;

/// <summary>What a service answered, or what is shown in its stead.</summary>
/// <param name="Status">200, the status of the service, or 500 when there was none.</param>
/// <param name="Body">JSON.</param>
internal sealed record Answer(int Status, string Body)
{
    public bool IsOk => Status == StatusCodes.Status200OK;
}
